"""Builds every zip that is missing, and then prints what there is."""

from __future__ import annotations

import math
import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from ringfence.assets import shared_bytecode
from ringfence.assets.bundles import BUILD, Bundle, every
from ringfence.assets.bytecode.sources import COMPILED
from ringfence.assets.install import arm64_key, install_arm64, replace_folder
from ringfence.assets.local import folder_of, packages
from ringfence.assets.zips import ASSETS, AssetMissing, BaseZip, base_zips, summary_of, write_base_zip

INTERRUPTED = 130
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Zips of earlier sources and rules pile up at 100 MB each; synthesis makes a missing one again in milliseconds.
STALE_SECONDS = 6 * 3600


def build(*, local: bool = True) -> int:
    """Builds every zip that is missing.

    Args:
        local: Whether the same locks are installed for this machine as well, as the rehearsal needs.

    Returns:
        0 when nothing is missing, 130 when it was interrupted.

    Raises:
        CannotGoOn: something could not be built.
    """
    try:
        built = build_zips()
        remove_stale()
        if local:
            install_here()
    except KeyboardInterrupt:
        print("\nassets: interrupted; what is built is kept.", file=sys.stderr)
        return INTERRUPTED
    finally:
        shared_bytecode.forget()
    if built:
        print_table()
    return 0


def build_zips() -> bool:
    """Build every base zip that is missing, two at a time; returns whether there was one."""
    missing = [base for base in base_zips().values() if not _is_built(base)]
    if not missing:
        return False
    bundles = {bundle.name: bundle for base in missing for _, bundle in base.packages}
    absent = [bundle for bundle in bundles.values() if not _arm64_folder(bundle).is_dir()]
    _two_at_a_time(_arm64, [bundle.name for bundle in sorted(absent, key=_weight, reverse=True)], "installed for ARM64")
    missing.sort(key=lambda base: -sum(_weight(bundle) for _, bundle in base.packages))
    _two_at_a_time(_build, [base.name for base in missing], "zipped")
    return True


def install_here() -> None:
    """Install every lock that is missing for this machine, two at a time."""
    absent = [bundle for bundle in every().values() if not folder_of(bundle).is_dir()]
    names = [bundle.name for bundle in sorted(absent, key=_weight, reverse=True)]
    _two_at_a_time(packages, names, "installed for this machine")


def _two_at_a_time(work: Callable[[str], object], names: Sequence[str], done: str) -> None:
    """Do the work for every name and say when each is done; at the first failure, or at Ctrl-C, end the rest."""
    if not names:
        return
    begun = " and ".join(names[:2])
    print(f"assets: 0 of {len(names)} {done}; begun: {begun}, which take longest", file=sys.stderr)
    pool = ProcessPoolExecutor(max_workers=2, initializer=_wait_for_work)
    try:
        waiting = {pool.submit(_at_work, work, name): name for name in names}
        for count, each in enumerate(as_completed(waiting), start=1):
            print(f"assets: {count} of {len(names)} {done}: {waiting[each]}, {each.result():.1f} s", file=sys.stderr)
    except BaseException:
        # Ctrl-C in a terminal reaches them too; a signal to this process alone does not. Never without need: a worker
        # that has nothing to do holds the lock that the other waits for.
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _wait_for_work() -> None:
    """In a worker: a signal ends it, without a traceback."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_DFL)


def _at_work(work: Callable[[str], object], name: str) -> float:
    """In a worker: do the work, and return its seconds. A signal ends it once what it began is removed."""
    for number in _ENDING:
        signal.signal(number, _stop)
    start = time.monotonic()
    try:
        work(name)
    except SystemExit:
        os._exit(INTERRUPTED)  # the pool would hand on the next work
    _wait_for_work()
    return time.monotonic() - start


def _stop(*_: object) -> None:
    for number in _ENDING:  # once: a second would end the removal, and one that waits already is told if it is ignored
        signal.signal(number, lambda *_: None)
    raise SystemExit


def _weight(bundle: Bundle) -> int:
    """Heaviest first: the one long job should not start last."""
    return bundle.lock.stat().st_size


def remove_stale() -> None:
    """Remove base zips of other locks, and what was made from a base or of our sources long ago."""
    current = {base.path.stem for base in base_zips().values()}
    oldest = time.time() - STALE_SECONDS
    for path in ASSETS.iterdir():
        if path.stem not in current if path.name.startswith("base-") else _made(path) < oldest:
            path.unlink(missing_ok=True)
    for path in COMPILED.glob("*"):
        if _made(path) < oldest:
            shutil.rmtree(path, ignore_errors=True)


def _made(path: Path) -> float:
    """Seconds since 1970; a moment to come for what another build has removed meanwhile."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def print_table() -> None:
    """One line per zip: sizes in megabytes and native libraries, all of them checked to be aarch64.

    To standard error: what follows the build in a `make` command may print JSON.
    """
    print(f"{'zip':24} {'zipped MB':>10} {'unzipped MB':>12} {'aarch64 libraries':>18}", file=sys.stderr)
    for base in base_zips().values():
        summary = summary_of(base)
        sizes = (int(summary["zipped"]) / 1e6, int(summary["unzipped"]) / 1e6)
        print(f"{base.name:24} {sizes[0]:10.1f} {sizes[1]:12.1f} {summary['native']:>18}", file=sys.stderr)


def _is_built(base: BaseZip) -> bool:
    try:
        summary_of(base)
    except AssetMissing:
        return False
    return True


def _arm64_folder(bundle: Bundle) -> Path:
    return BUILD / "arm64" / f"{bundle.name}-{arm64_key(bundle)}"


def _arm64(name: str) -> Path:
    bundle = every()[name]
    folder = _arm64_folder(bundle)
    if not folder.is_dir():
        replace_folder(folder, bundle, install_arm64)
    return folder


def _build(name: str) -> None:
    base = base_zips()[name]
    write_base_zip(base, {folder: _arm64(bundle.name) for folder, bundle in base.packages})
