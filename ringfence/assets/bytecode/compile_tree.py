"""Compiles every source below a folder with the interpreter that runs this file.

Usage: `python compile_tree.py <folder>`. `assets.interpreters` runs it with a Python that is deployed, or with the one
at hand; hence the standard library alone.
"""

from __future__ import annotations

import os
import py_compile
import sys
import warnings


def compile_tree(root: str) -> list[str]:
    """Write `__pycache__/<module>.<tag>.pyc` beside every source below a folder.

    The bytecode is `unchecked-hash`: an import compares no dates, which a zip does not keep, and reads no source. The
    path that it remembers is the one below `root`, which says nothing about the machine; an import replaces it.

    Returns:
        Sources that this Python cannot compile, below `root` and sorted: templates, and code of other versions.
    """
    refused = []
    warnings.simplefilter("ignore", SyntaxWarning)  # of packages that are not ours to mend
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if name != "__pycache__")
        for name in sorted(names):
            if not name.endswith(".py"):
                continue
            path = os.path.join(folder, name)
            shown = os.path.relpath(path, root)
            try:
                py_compile.compile(
                    path,
                    dfile=shown,
                    doraise=True,
                    optimize=0,
                    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
                )
            except py_compile.PyCompileError:
                refused.append(shown)
    return refused


if __name__ == "__main__":
    for source in compile_tree(sys.argv[1]):
        print(source)
