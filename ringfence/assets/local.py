"""The same locks installed for this machine, so that the rehearsal runs the code that is deployed."""

from __future__ import annotations

from pathlib import Path

from ringfence.assets.bundles import BUILD, Bundle, every
from ringfence.assets.install import install_local, local_key, replace_folder


def folder_of(bundle: Bundle) -> Path:
    """Where a bundle's packages for this machine are, or will be: the name changes with the lock."""
    return BUILD / "local" / f"{bundle.name}-{local_key(bundle)}"


def packages(name: str) -> Path:
    """Folder with a bundle's packages for this machine, installed on first use.

    Args:
        name: a function (`request_interceptor`), `host`, or a server (`iam`).

    Returns:
        A folder to put on `PYTHONPATH`.

    Raises:
        KeyError: no such bundle.
        InstallFailed: the lock cannot be installed here.
    """
    bundle = every()[name]
    folder = folder_of(bundle)
    if not folder.is_dir():
        replace_folder(folder, bundle, install_local)
    return folder
