"""The bytecode in the zips: of the deployed Pythons, the same on every machine, and what its source compiles to."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence import CannotGoOn
from ringfence.assets import bundles, shared_bytecode, zips
from ringfence.assets.bytecode import interpreters, proof
from ringfence.assets.bytecode.interpreters import InterpreterFailed
from ringfence.assets.bytecode.proof import Outcome
from ringfence.assets.bytecode.sources import bytecode_of
from ringfence.assets.shared_bytecode import compile_once
from ringfence.assets.zips import base_zips, function_zip, runtime_zip

ROOT = Path(__file__).resolve().parents[3]
SOURCE = "def answer():\n    return 42\n\n\ndef check():\n    return answer()\n"
COMPILED = "package/__pycache__/module.cpython-313.pyc"
# CPython's numbers of the bytecode of all releases of 3.13 and of 3.14 (Include/internal/pycore_magic_number.h).
MAGIC = {"3.13": (3571).to_bytes(2, "little") + b"\r\n", "3.14": (3627).to_bytes(2, "little") + b"\r\n"}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One module, compiled by each deployed Python; starting one takes three seconds of processor time."""
    folders = {python: tmp_path_factory.mktemp("tree") for python in MAGIC}
    for python, folder in folders.items():
        (folder / "package").mkdir()
        (folder / "package" / "module.py").write_text(SOURCE)
        interpreters.compile_pinned(folder, python)
    return folders


@pytest.mark.parametrize("python", ["3.13", "3.14"])
def test_bytecode_is_of_the_deployed_python_and_never_checked_and_names_no_machine(
    compiled: dict[str, Path], python: str
) -> None:
    (path,) = compiled[python].rglob("*.pyc")
    content = path.read_bytes()

    assert path.relative_to(compiled[python]).as_posix() == COMPILED.replace("313", python.replace(".", ""))
    assert content[:4] == MAGIC[python]
    assert content[4:8] == b"\x01\0\0\0"  # by hash, and the hash is not looked at: PEP 552
    assert b"package/module.py" in content
    assert str(compiled[python]).encode() not in content and b"/given" not in content


def test_bytecode_depends_on_its_source_and_place_alone(compiled: dict[str, Path], tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "deeper"
    (other / "package").mkdir(parents=True)
    (other / "package" / "module.py").write_text(SOURCE)
    (other / "another.py").write_text("import json, re\nNAMES = {'answer', 'module', 'zebra'}\n")
    interpreters.compile_pinned(other, "3.13")
    assert (compiled["3.13"] / COMPILED).read_bytes() == (other / COMPILED).read_bytes()


def test_the_functions_and_runtimes_of_the_templates_are_what_the_bytecode_is_for(assemblies: dict) -> None:
    kinds = {"AWS::Lambda::Function", "AWS::BedrockAgentCore::Runtime"}
    resources = [each for made in assemblies.values() for each in made.resources() if each.type in kinds]
    used = {
        match for each in resources for match in re.findall(r'"Runtime": "(\w+\.?\w*)"', json.dumps(each.properties))
    }
    assert used == {"python3.14", "PYTHON_3_13"}
    assert (bundles.FUNCTION_PYTHON, bundles.RUNTIME_PYTHON) == ("3.14", "3.13")


def leave(files: dict[str, bytes]) -> None:
    """As it was compiled."""


def hide(files: dict[str, bytes]) -> None:
    """Another function under the genuine header: what a person who reads the source does not see."""
    files[COMPILED] = files[COMPILED].replace(b"\x2a\0\0\0", b"\x2b\0\0\0")


def specialise(files: dict[str, bytes]) -> None:
    """`check` calls another function than `answer`: a specialised instruction takes it from an index in its cache.

    To CPython 3.13 the code object equals that of the source. LOAD_GLOBAL is 91, LOAD_GLOBAL_MODULE 204; their caches
    are a counter, the version of the module's names, that of the built-in ones, and the index.
    """
    genuine, hidden = b"\x5b\x01" + bytes(8), b"\xcc\x01" + bytes(6) + b"\x09\0"
    assert files[COMPILED].count(genuine) == 1
    files[COMPILED] = files[COMPILED].replace(genuine, hidden)


def claim_another_stack(files: dict[str, bytes]) -> None:
    """A frame whose stack is too small writes over what follows; this is larger, and another all the same."""
    assert files[COMPILED][29:33] == b"\x01\0\0\0"
    files[COMPILED] = files[COMPILED][:29] + b"\x02\0\0\0" + files[COMPILED][33:]


def claim_another_source(files: dict[str, bytes]) -> None:
    files[COMPILED] = files[COMPILED][:8] + bytes(8) + files[COMPILED][16:]


def have_the_source_checked(files: dict[str, bytes]) -> None:
    files[COMPILED] = files[COMPILED][:4] + b"\x03" + files[COMPILED][5:]


def append(files: dict[str, bytes]) -> None:
    files[COMPILED] += b"N"


def lose_the_source(files: dict[str, bytes]) -> None:
    del files["package/module.py"]


def add_without_source(files: dict[str, bytes]) -> None:
    files["package/hidden.pyc"] = files[COMPILED]


def add_for_an_optimised_start(files: dict[str, bytes]) -> None:
    files["package/__pycache__/module.cpython-313.opt-1.pyc"] = files[COMPILED]


def lose_the_bytecode(files: dict[str, bytes]) -> None:
    files["package/second.py"] = b"x = 1\n"


def lose_all_bytecode(files: dict[str, bytes]) -> None:
    del files[COMPILED]


def add_a_template(files: dict[str, bytes]) -> None:
    files["package/template.py"] = b"class {{ name }}: ...\n"


def hide_behind_a_dot(files: dict[str, bytes]) -> None:
    """Unpacked it falls on the genuine one, which comes before it."""
    files["package/./__pycache__/module.cpython-313.pyc"] = files[COMPILED].replace(b"\x2a\0\0\0", b"\x2b\0\0\0")


def lead_elsewhere(files: dict[Any, bytes]) -> None:
    link = zipfile.ZipInfo("package/__pycache__/other")
    link.external_attr = 0o120777 << 16
    files[link] = b"../../elsewhere"


FINDINGS = {
    leave: None,
    add_a_template: None,
    hide: f"{COMPILED} is not what its source compiles to",
    specialise: f"{COMPILED} is not what its source compiles to",
    claim_another_stack: f"{COMPILED} is not what its source compiles to",
    claim_another_source: f"{COMPILED} does not begin with",
    have_the_source_checked: f"{COMPILED} does not begin with",
    append: f"{COMPILED} is not one code object",
    lose_the_source: f"{COMPILED} has no source of its own beside it",
    add_without_source: "package/hidden.pyc has no source of its own beside it",
    add_for_an_optimised_start: "module.cpython-313.opt-1.pyc has no source of its own beside it",
    lose_the_bytecode: "package/second.py has no bytecode beside it",
    hide_behind_a_dot: "package/./__pycache__/module.cpython-313.pyc would be unpacked elsewhere",
    lead_elsewhere: "package/__pycache__/other would be unpacked elsewhere",
    lose_all_bytecode: "holds no bytecode of a deployed version",
}


@pytest.fixture(scope="module")
def real() -> list[Path]:
    """A server's packages, and our own sources: each function's, and those that every runtime shares.

    All packages of all servers, by the minute: `make prove`, which proves the very zips that are deployed.
    """
    made = [base_zips()["runtime-iam"].path]
    made += [function_zip(name, files={}).path for name in bundles.functions()]
    return [*made, runtime_zip("iam", files={"runtime.json": b"{}"}).path]


@pytest.fixture(scope="module")
def outcome(compiled: dict[str, Path], real: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The real zips, and one zip a change, all proved at once."""
    folder = tmp_path_factory.mktemp("zips")
    tree = compiled["3.13"]
    genuine = {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    for change in FINDINGS:
        files = dict(genuine)
        change(files)
        with zipfile.ZipFile(folder / f"{change.__name__}.zip", "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    for path in real:
        shutil.copy(path, folder)  # the interpreter sees this folder alone, and no link out of it
    (folder / "asset.loose").mkdir()
    (folder / "assembly-nested").mkdir()
    (folder / "asset.padded.zip").write_bytes((folder / "leave.zip").read_bytes() + bytes(70_000))
    return proof.check(folder)


@pytest.mark.parametrize(
    "finding",
    [
        "asset.loose: is a folder, in which nothing is compared",
        "assembly-nested: is a folder, in which nothing is compared",
        "asset.padded.zip: is no zip, so nothing in it is compared",
    ],
)
def test_what_cannot_be_compared_is_found(outcome: Outcome, finding: str) -> None:
    assert finding in outcome.findings


@pytest.mark.parametrize("change", FINDINGS, ids=lambda change: change.__name__)
def test_bytecode_that_is_not_its_source_is_found(
    outcome: Outcome, change: Callable[[dict[str, bytes]], object]
) -> None:
    found = [line for line in outcome.findings if line.startswith(f"{change.__name__}.zip: ")]
    expected = FINDINGS[change]
    assert len(found) == (expected is not None)
    assert all(expected in line for line in found)


@pytest.mark.parametrize(("folder", "told"), [("nope", "nope is no folder. Synth"), ("", "there is no zip in")])
def test_a_folder_without_zips_proves_nothing(folder: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(CannotGoOn, match=told):
        proof.prove(tmp_path / folder)


def test_every_zip_holds_the_bytecode_of_its_sources(outcome: Outcome, real: list[Path]) -> None:
    names = {path.name for path in real}
    assert [line for line in outcome.findings if line.partition(": ")[0] in names] == []
    assert outcome.zips == len(names) + len(FINDINGS)
    assert outcome.modules > 1500


def test_another_release_of_the_same_version_agrees() -> None:
    """Where this machine's own Python is a deployed version, it reads the pinned one's bytecode as its own."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if python not in MAGIC:
        pytest.skip(f"this machine's Python is {python}")
    command = [sys.executable, str(ROOT / "ringfence" / "assets" / "bytecode" / "check.py"), str(zips.ASSETS)]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert said["zips"] and said["findings"] == []


def test_without_the_pinned_python_nothing_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InterpreterFailed, match=r"no interpreter of Python 3\.9 is pinned"):
        interpreters.compile_pinned(tmp_path, "3.9")
    shutil.copy(ROOT / "package.json", tmp_path)
    monkeypatch.setattr(interpreters, "ROOT", tmp_path)
    with pytest.raises(InterpreterFailed, match=r"Python 3\.13 is not installed\. Run `make setup`"):
        interpreters.compile_pinned(tmp_path, "3.13")


def test_our_sources_are_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.assets.bytecode.sources.COMPILED", tmp_path / "sources")
    first = bytecode_of({"runtime/a.py": b"A = 1\n"}, "3.13")
    monkeypatch.setattr(interpreters, "compile_pinned", lambda *_: pytest.fail("compiled again"))
    assert bytecode_of({"runtime/a.py": b"A = 1\n"}, "3.13") == first
    assert list(first) == ["runtime/__pycache__/a.cpython-313.pyc"]


def test_what_bundles_share_is_compiled_once_for_its_source_and_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_bytecode, "KEPT", tmp_path / "kept")
    compiled: list[str] = []

    def work(folder: Path) -> None:
        compiled.extend(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py")))
        interpreters.compile_at_hand(folder)

    def installed(name: str, interpreter: str = "one", **files: str) -> dict[str, bytes]:
        tree = tmp_path / name
        for module, source in files.items():
            (tree / module).parent.mkdir(parents=True, exist_ok=True)
            (tree / module).write_text(source)
        compile_once(tree, work, interpreter=interpreter, tag=str(sys.implementation.cache_tag))
        return {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.rglob("*.pyc")}

    first = installed("first", **{"p/a.py": "A = 1\n", "p/template.py": "class {{ x }}\n"})
    assert compiled == ["p/a.py", "p/template.py"] and list(first) == [
        f"p/__pycache__/a.{sys.implementation.cache_tag}.pyc"
    ]
    compiled.clear()
    assert installed("second", **{"p/a.py": "A = 1\n", "p/template.py": "class {{ x }}\n"}) == first
    assert compiled == [], "neither what is compiled nor what cannot be"
    interpreters.compile_at_hand(
        shutil.copytree(tmp_path / "first", tmp_path / "alone", ignore=shutil.ignore_patterns("*.pyc"))
    )
    assert {path.read_bytes() for path in (tmp_path / "alone").rglob("*.pyc")} == set(first.values())
    installed("third", **{"p/a.py": "A = 2\n", "q/a.py": "A = 1\n"})
    installed("fourth", "another", **{"p/a.py": "A = 1\n"})
    assert compiled == ["p/a.py", "q/a.py", "p/a.py"], "another source, another place, another interpreter"
    shared_bytecode.forget()
    assert not (tmp_path / "kept").exists()
