"""Entry point of the runtime zip, where this file lies at the root beside `runtime.json`, `runtime/` and `callpath/`.

The host and the server each have their own dependency folder below `packages/`, because their pins may conflict; this
file opens the host's, the host opens the server's for its child process.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def run() -> int:
    """Start the host and return its exit code."""
    sys.path.insert(1, str(ROOT / "packages" / "host"))  # after ROOT, before anything the machine brings
    from runtime.host import main

    return main(ROOT)


if __name__ == "__main__":
    code = run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a thread may still wait for an answer of AWS; a stopped host must not wait for it
