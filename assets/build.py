"""`python -m assets.build`: build every zip that is missing, and then print what there is."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from assets.bundles import BUILD, Bundle, every
from assets.install import InstallFailed, arm64_key, install_arm64, replace_folder
from assets.local import packages
from assets.sources import COMPILED
from assets.zips import ASSETS, AssetMissing, AssetRefused, BaseZip, base_zips, summary_of, write_base_zip

# Zips of earlier sources and rules pile up at 100 MB each; synthesis makes a missing one again in milliseconds.
STALE_SECONDS = 6 * 3600


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the zips; with `--local`, install the same locks for this machine as well."""
    parser = argparse.ArgumentParser(prog="python -m assets.build", description=__doc__)
    parser.add_argument("--local", action="store_true", help="also install every lock for this machine (rehearsal)")
    options = parser.parse_args(arguments)
    try:
        built = build_zips()
        remove_stale()
        if options.local:
            install_here()
    except (InstallFailed, AssetRefused) as problem:
        print(f"assets: {problem}", file=sys.stderr)
        return 1
    if built:
        print_table()
    return 0


def build_zips() -> bool:
    """Build every base zip that is missing, two at a time; returns whether there was one."""
    missing = [base for base in base_zips().values() if not _is_built(base)]
    if not missing:
        return False
    bundles = {bundle.name: bundle for base in missing for _, bundle in base.packages}
    missing.sort(key=lambda base: -sum(_weight(bundle) for _, bundle in base.packages))
    with ProcessPoolExecutor(max_workers=2) as pool:
        for _ in pool.map(_arm64, sorted(bundles.values(), key=_weight, reverse=True)):
            pass
        for base, seconds in zip(missing, pool.map(_build, [base.name for base in missing]), strict=True):
            print(f"assets: built {base.path.name} in {seconds:.1f} s", file=sys.stderr)
    return True


def install_here() -> None:
    """Install every lock for this machine, two at a time."""
    with ProcessPoolExecutor(max_workers=2) as pool:
        for _ in pool.map(packages, [bundle.name for bundle in sorted(every().values(), key=_weight, reverse=True)]):
            pass


def _weight(bundle: Bundle) -> int:
    """Heaviest first: the one long job should not start last."""
    return bundle.lock.stat().st_size


def remove_stale() -> None:
    """Remove base zips of other locks, and what was made from a base or of our sources long ago."""
    current = {base.path.stem for base in base_zips().values()}
    oldest = time.time() - STALE_SECONDS
    for path in ASSETS.iterdir():
        if path.name.startswith("base-"):
            stale = path.stem not in current
        else:
            stale = path.stat().st_mtime < oldest
        if stale:
            path.unlink(missing_ok=True)
    for path in COMPILED.glob("*"):
        if path.stat().st_mtime < oldest:
            shutil.rmtree(path, ignore_errors=True)


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


def _arm64(bundle: Bundle) -> Path:
    folder = BUILD / "arm64" / f"{bundle.name}-{arm64_key(bundle)}"
    if not folder.is_dir():
        replace_folder(folder, bundle, install_arm64)
    return folder


def _build(name: str) -> float:
    start = time.monotonic()
    base = base_zips()[name]
    write_base_zip(base, {folder: _arm64(bundle) for folder, bundle in base.packages})
    return time.monotonic() - start


if __name__ == "__main__":
    raise SystemExit(main())
