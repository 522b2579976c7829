"""Compiles every source in the zips of a folder again, and compares it with the bytecode beside it.

Usage: `python check_bytecode.py <folder>`, with any CPython of the minor version that the zips are for; prints one JSON
object. Zips with bytecode of another version are left to that version. Bytecode that is not checked when it is imported
and differs from its source would be a place to hide code. Needs the standard library alone, and nothing of ours: what
made the bytecode (`compile_tree.py`) is not asked.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
import json
import marshal
import os
import re
import stat
import sys
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from types import CodeType

TAG = str(sys.implementation.cache_tag)
_UNCHECKED_HASH = 1
_HEADER_BYTES = 16
# What equality leaves out: the instructions as they stand, and what else a frame is made from.
_RUN_BY = (
    *("_co_code_adaptive", "co_stacksize", "co_flags", "co_nlocals", "co_varnames", "co_cellvars", "co_freevars"),
    *("co_filename", "co_name", "co_qualname", "co_linetable", "co_exceptiontable"),
)
_COMPILED = re.compile(r"(?P<folder>(?:.*/)?)__pycache__/(?P<module>[^/]+)\.(?P<tag>[^/.]+)\.pyc")


def check_folder(folder: str) -> dict[str, object]:
    """Check every zip that holds bytecode of this Python's version.

    Returns:
        `zips`: names of those checked; `modules`: how many different ones; `findings`: a line for each that is wrong.
    """
    warnings.simplefilter("ignore", SyntaxWarning)
    checked: list[str] = []
    found: list[str] = []
    seen: set[bytes] = set()
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if any(entry.endswith(f".{TAG}.pyc") for entry in archive.namelist()):
                    checked.append(name)
                    found += [f"{name}: {finding}" for finding in check_zip(archive, seen)]
    return {"zips": checked, "modules": len(seen), "findings": found}


_STRANGE = re.compile(r"\\|^/|(?:^|/)\.{0,2}(?=/)|(?:^|/)\.{1,2}$")
"""Names with a part that is empty, `.` or `..`, which fall on another name when they are unpacked."""


def check_zip(archive: zipfile.ZipFile, seen: set[bytes]) -> Iterator[str]:
    """Yield what is wrong with a zip's bytecode.

    Args:
        seen: what has been found right before, by content; zips share most of it.
    """
    strange = list(_strange(archive))
    if strange:
        yield from strange
        return
    names = set(archive.namelist())
    for name in sorted(each for each in names if each.endswith(".pyc")):
        shape = _COMPILED.fullmatch(name)
        if shape is None or shape["tag"] != TAG or f"{shape['folder']}{shape['module']}.py" not in names:
            yield f"{name} has no source of its own beside it"
    for name in sorted(each for each in names if each.endswith(".py")):
        folder, _, module = name.rpartition("/")
        compiled = f"{folder}/__pycache__/" if folder else "__pycache__/"
        compiled += f"{module.removesuffix('.py')}.{TAG}.pyc"
        source = archive.read(name)
        if compiled not in names:
            if _compiles(source):
                yield f"{name} has no bytecode beside it"
            continue
        bytecode = archive.read(compiled)
        both = hashlib.sha256(source).digest() + hashlib.sha256(bytecode).digest()
        if both not in seen:
            fault = _fault(source, bytecode)
            if fault:
                yield f"{compiled} {fault}"
            else:
                seen.add(both)


def _strange(archive: zipfile.ZipFile) -> Iterator[str]:
    """Yield which entries would be unpacked over another one, so that what was compared is not what is there."""
    counts = Counter(archive.namelist())
    yield from (f"holds {name} twice" for name, count in sorted(counts.items()) if count > 1)
    for entry in archive.infolist():
        if _STRANGE.search(entry.filename) or stat.S_ISLNK(entry.external_attr >> 16):
            yield f"{entry.filename} would be unpacked elsewhere than it says"


def _fault(source: bytes, bytecode: bytes) -> str | None:
    expected = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH.to_bytes(4, "little") + importlib.util.source_hash(source)
    if bytecode[:_HEADER_BYTES] != expected:
        return "does not begin with this Python's number, the mark of unchecked bytecode and its source's hash"
    stream = io.BytesIO(bytecode[_HEADER_BYTES:])
    try:
        code = marshal.load(stream)  # noqa: S302 - not run; a fault in it ends this process, which is a finding too
    except (EOFError, TypeError, ValueError) as error:
        return f"cannot be read: {error}"
    if not isinstance(code, CodeType) or stream.read():
        return "is not one code object"
    if os.path.isabs(code.co_filename):
        return f"names a path of the machine that made it: {code.co_filename}"
    if not _same(code, compile(source, code.co_filename, "exec", dont_inherit=True, optimize=0)):
        return "is not what its source compiles to"
    return None


def _same(code: CodeType, compiled: CodeType) -> bool:
    """Whether two code objects, and those in them, are equal and run alike.

    CPython takes objects for equal whose instructions are specialised differently, whatever their inline caches hold,
    and those choose what runs (`code_richcompare` of 3.13 and 3.14). Bytes of marshal are no measure: they depend on
    what else refers to an object.
    """
    if code != compiled or any(getattr(code, name) != getattr(compiled, name) for name in _RUN_BY):
        return False
    pairs = zip(code.co_consts, compiled.co_consts, strict=True)
    return all(_same(one, other) for one, other in pairs if isinstance(one, CodeType))


def _compiles(source: bytes) -> bool:
    try:
        compile(source, "source", "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError):
        return False
    return True


def _folder(text: str) -> str:
    if not os.path.isdir(text):
        raise argparse.ArgumentTypeError(f"{text} is no folder")
    return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        allow_abbrev=False, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=_folder, help="folder with zips")
    print(json.dumps(check_folder(parser.parse_args().folder)))
