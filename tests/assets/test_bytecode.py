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

import pytest

from assets import bundles, bytecode_proof, interpreters, zips
from assets.interpreters import InterpreterFailed
from assets.sources import bytecode_of
from assets.zips import base_zips, function_zip, runtime_zip

ROOT = Path(__file__).resolve().parents[2]
COMPILED = "package/__pycache__/module.cpython-313.pyc"
# CPython's numbers of the bytecode of all releases of 3.13 and of 3.14 (Include/internal/pycore_magic_number.h).
MAGIC = {"3.13": (3571).to_bytes(2, "little") + b"\r\n", "3.14": (3627).to_bytes(2, "little") + b"\r\n"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree" / "package").mkdir(parents=True)
    (tmp_path / "tree" / "package" / "module.py").write_text("def answer():\n    return 42\n")
    return tmp_path / "tree"


def zipped(tree: Path, folder: Path, change: Callable[[dict[str, bytes]], object] = lambda files: None) -> Path:
    """A folder with one zip of a tree that was compiled for the runtimes and then changed."""
    interpreters.compile_pinned(tree, "3.13")
    files = {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    change(files)
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "some.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return folder


def findings(folder: Path) -> str:
    return "\n".join(bytecode_proof.check(folder).findings)


@pytest.mark.parametrize("python", ["3.13", "3.14"])
def test_bytecode_is_of_the_deployed_python_and_never_checked_and_names_no_machine(tree: Path, python: str) -> None:
    interpreters.compile_pinned(tree, python)
    (path,) = tree.rglob("*.pyc")
    content = path.read_bytes()

    assert path.relative_to(tree).as_posix() == COMPILED.replace("313", python.replace(".", ""))
    assert content[:4] == MAGIC[python]
    assert content[4:8] == b"\x01\0\0\0"  # by hash, and the hash is not looked at: PEP 552
    assert b"package/module.py" in content
    assert str(tree).encode() not in content and b"/given" not in content


def test_bytecode_depends_on_its_source_and_place_alone(tree: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "deeper"
    shutil.copytree(tree, other)
    (other / "another.py").write_text("import json, re\nNAMES = {'answer', 'module', 'zebra'}\n")
    for folder in (tree, other):
        interpreters.compile_pinned(folder, "3.13")
    assert (tree / COMPILED).read_bytes() == (other / COMPILED).read_bytes()


def test_the_functions_and_runtimes_of_the_templates_are_what_the_bytecode_is_for(assemblies: dict) -> None:
    kinds = {"AWS::Lambda::Function", "AWS::BedrockAgentCore::Runtime"}
    resources = [each for made in assemblies.values() for each in made.resources() if each.type in kinds]
    used = {
        match for each in resources for match in re.findall(r'"Runtime": "(\w+\.?\w*)"', json.dumps(each.properties))
    }
    assert used == {"python3.14", "PYTHON_3_13"}
    assert (bundles.FUNCTION_PYTHON, bundles.RUNTIME_PYTHON) == ("3.14", "3.13")


def test_what_is_as_compiled_is_proved(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bytecode_proof.main([str(zipped(tree, tmp_path / "zips"))]) == 0
    assert "1 modules in 1 zips, each as its source compiles" in capsys.readouterr().out


def hide(files: dict[str, bytes]) -> None:
    """Another function under the genuine header: what a person who reads the source does not see."""
    files[COMPILED] = files[COMPILED].replace(b"\x2a\0\0\0", b"\x2b\0\0\0")


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


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (hide, f"{COMPILED} is not what its source compiles to"),
        (claim_another_source, f"{COMPILED} does not begin with"),
        (have_the_source_checked, f"{COMPILED} does not begin with"),
        (append, f"{COMPILED} is not one code object"),
        (lose_the_source, f"{COMPILED} has no source of its own beside it"),
        (add_without_source, "package/hidden.pyc has no source of its own beside it"),
        (add_for_an_optimised_start, "module.cpython-313.opt-1.pyc has no source of its own beside it"),
        (lose_the_bytecode, "package/second.py has no bytecode beside it"),
    ],
)
def test_bytecode_that_is_not_its_source_is_found(
    tree: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], object], finding: str
) -> None:
    assert finding in findings(zipped(tree, tmp_path / "zips", change))


def test_a_zip_without_bytecode_or_a_folder_without_zips_proves_nothing(tree: Path, tmp_path: Path) -> None:
    folder = zipped(tree, tmp_path / "zips", lambda files: files.pop(COMPILED))
    assert "some.zip: holds no bytecode of a deployed version" in findings(folder)
    (tmp_path / "nothing").mkdir()
    assert bytecode_proof.main([str(tmp_path / "nothing")]) == 2


def test_a_source_that_this_python_cannot_compile_needs_no_bytecode(tree: Path, tmp_path: Path) -> None:
    (tree / "package" / "template.py").write_text("class {{ name }}: ...\n")
    assert findings(zipped(tree, tmp_path / "zips")) == ""


def test_every_zip_holds_the_bytecode_of_its_sources(tmp_path: Path) -> None:
    """Of all packages; and of our own sources, which every runtime shares and each function has."""
    for base in base_zips().values():
        (tmp_path / base.path.name).symlink_to(base.path)
    made = [function_zip(name, files={}) for name in bundles.functions()]
    made.append(runtime_zip("iam", files={"runtime.json": b"{}"}))
    for asset in made:
        (tmp_path / asset.path.name).write_bytes(asset.path.read_bytes())
    for path in list(tmp_path.iterdir()):
        if path.is_symlink():  # the interpreter sees this folder alone
            target = path.resolve()
            path.unlink()
            path.hardlink_to(target)
    outcome = bytecode_proof.check(tmp_path)
    assert outcome.findings == ()
    assert outcome.zips == len(base_zips()) + len(made)
    assert outcome.modules > 5000


def test_another_release_of_the_same_version_agrees() -> None:
    """Where this machine's own Python is a deployed version, it reads the pinned one's bytecode as its own."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if python not in MAGIC:
        pytest.skip(f"this machine's Python is {python}")
    command = [sys.executable, str(ROOT / "assets" / "check_bytecode.py"), str(zips.ASSETS)]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert said["zips"] and said["findings"] == []


def test_without_the_pinned_python_nothing_is_built(
    tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InterpreterFailed, match=r"no interpreter of Python 3\.9 is pinned"):
        interpreters.compile_pinned(tree, "3.9")
    shutil.copy(ROOT / "package.json", tmp_path)
    monkeypatch.setattr(interpreters, "ROOT", tmp_path)
    with pytest.raises(InterpreterFailed, match=r"Python 3\.13 is not installed: run `make setup`"):
        interpreters.compile_pinned(tree, "3.13")


def test_our_sources_are_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.sources.COMPILED", tmp_path / "sources")
    first = bytecode_of({"runtime/a.py": b"A = 1\n"}, "3.13")
    monkeypatch.setattr(interpreters, "compile_pinned", lambda *_: pytest.fail("compiled again"))
    assert bytecode_of({"runtime/a.py": b"A = 1\n"}, "3.13") == first
    assert list(first) == ["runtime/__pycache__/a.cpython-313.pyc"]
