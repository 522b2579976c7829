"""What is not deployed: lists that fit the packages, AWS services that follow from the catalogue, and what it gains."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.assets import bundles
from ringfence.assets.local import packages
from ringfence.assets.pruning import (
    LeftOut,
    ListRefused,
    NothingToLeaveOut,
    called_prefixes,
    left_out_of,
    prune,
    read_rules,
)
from ringfence.assets.zips import base_zips, summary_of

ROOT = Path(__file__).resolve().parents[3]
# Bytes of the base zips before they held bytecode, when nothing but the functions' botocore had been cut down. The iam
# server's was to come below 30 MB. The request interceptor had nothing left to give for its bytecode, and the response
# interceptor got two compiled libraries, of 2 MB and of 0.15 MB (decision 42).
MOST = {
    "pre_token": 1_048_531,
    "request_interceptor": 2_131_963 + 350_000,
    "response_interceptor": 1_630_197 + 2_250_000,
    "runtime-aws-api": 72_910_656,
    "runtime-cloudtrail": 35_557_098,
    "runtime-cloudwatch": 109_727_439,
    "runtime-dataprocessing": 36_926_300,
    "runtime-eks": 47_640_045,
    "runtime-iam": 30_000_000,
    "runtime-sagemaker": 36_827_924,
    "runtime-serverless": 65_470_402,
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = (
        "package/module.py", "package/module.pyi", "package/tests/test_module.py", "package/sub/tests/data/big.csv",
        "package/heavy/all.py", "botocore/data/iam/2010-05-08/service-2.json.gz", "botocore/data/_retry.json",
        "botocore/data/endpoints.json.gz", "botocore/data/ec2/2016-11-15/service-2.json.gz", "lexers/one.py",
        "lexers/two.py", "tests.py",
    )  # fmt: skip
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def left(tree: Path) -> set[str]:
    return {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()}


def test_only_what_is_named_goes(tree: Path) -> None:
    prune(
        tree,
        LeftOut(
            folders=("tests",),
            suffixes=(".pyi",),
            only=(("lexers", ("one.py",)), ("nowhere", ("x",))),
            paths=("package/heavy",),
            aws_services=("iam",),
        ),
    )
    assert left(tree) == {
        "package/module.py", "botocore/data/iam/2010-05-08/service-2.json.gz", "botocore/data/_retry.json",
        "botocore/data/endpoints.json.gz", "lexers/one.py", "tests.py",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        (LeftOut(paths=("package/gone",), aws_services=("iam",)), "there is no package/gone to leave out"),
        (LeftOut(aws_services=("iam", "elasticmapreduce")), "data holds no elasticmapreduce: where botocore's folder"),
        (LeftOut(), "botocore/data is here, and no AWS service is named"),
        (LeftOut(only=(("lexers", ("three.py",)),), aws_services=("iam",)), "lexers holds no three.py"),
    ],
)
def test_a_list_of_another_version_is_refused(tree: Path, left_out: LeftOut, message: str) -> None:
    with pytest.raises(NothingToLeaveOut, match=message):
        prune(tree, left_out)


@pytest.mark.parametrize("kind", ["paths", "only"])
@pytest.mark.parametrize(
    "name", ["{outside}", "../outside", "package/../../outside", "link/inner", ".", "", "package/.."]
)
def test_nothing_outside_the_packages_can_be_named(tree: Path, tmp_path: Path, kind: str, name: str) -> None:
    """Whatever reads the list, and what removes: each refuses by itself, before anything is removed."""
    packages, outside = tree / "packages", tree / "outside"
    (outside / "inner").mkdir(parents=True)
    (outside / "inner" / "kept.txt").write_text("")
    packages.mkdir()
    (packages / "link").symlink_to(outside)
    (packages / "package").mkdir()
    given = name.replace("{outside}", str(outside))
    every = LeftOut(paths=(given,)) if kind == "paths" else LeftOut(only=((given, ()),))
    with pytest.raises(ListRefused, match="not below the packages"):
        prune(packages, every)
    assert (outside / "inner" / "kept.txt").is_file() and (packages / "package").is_dir()

    if name != "link/inner":  # what only the file system can tell
        written = tmp_path / "left_out.toml"
        written.write_text(
            LIST.format(only=f'"{given}" = []' if kind == "only" else "", paths=given if kind == "paths" else "a")
        )
        with pytest.raises(ListRefused, match=r"left_out.toml: (bundles|everywhere)\."):
            read_rules(written)


LIST = """
[everywhere]
folders = []
suffixes = []
files = []
[everywhere.only]
{only}
[aws_services]
[bundles.iam]
paths = ["{paths}"]
"""


def test_a_list_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ListRefused, match="cannot be read"):
        read_rules(tmp_path / "left_out.toml")


def test_a_bundle_that_nothing_builds_is_refused_when_the_list_is_read(tmp_path: Path) -> None:
    """What it names would stay in the zip that was meant, and nobody be told."""
    text = LIST.format(only="", paths="a")
    wrong = tmp_path / "left_out.toml"
    wrong.write_text(text.replace("bundles.iam", "bundles.iamm") + "[bundles.hosts]\npaths = []\n")
    with pytest.raises(ListRefused, match=r"bundles.hosts is no bundle; bundles.iamm is no bundle\. Name one of: host"):
        read_rules(wrong)
    for name in bundles.every():
        right = tmp_path / f"{name}.toml"
        right.write_text(text.replace("bundles.iam", f"bundles.{name}"))
        assert read_rules(right).bundles.keys() == {name}


def test_the_services_follow_from_the_actions_of_the_catalogue(tmp_path: Path) -> None:
    described = tmp_path / "server.toml"
    described.write_text(
        '[tools.look]\ngrants = [{ actions = ["elasticmapreduce:ListClusters"] }]\n'
        '[tools.do.operations.start]\ngrants = [{ actions = ["glue:StartJobRun", "iam:PassRole"] }]\nvalues = ["x:y"]\n'
    )
    assert called_prefixes(described) == {"elasticmapreduce", "glue", "iam"}
    assert left_out_of("some", calls=called_prefixes(described)).aws_services == ("emr", "glue", "iam")


@pytest.mark.parametrize("name", sorted(bundles.every()))
def test_the_rehearsal_has_the_same_services_and_folders_as_the_deployment(name: str) -> None:
    """The two trees differ in the processor, the Python and their bytecode, and in nothing else."""
    bundle = bundles.every()[name]
    data = packages(name) / "botocore" / "data"
    here = (
        {path.name for path in data.iterdir() if path.is_dir()} if data.is_dir() else set(bundle.left_out.aws_services)
    )
    assert here == set(bundle.left_out.aws_services)
    wrong = [path for path in packages(name).rglob("*") if path.is_dir() and path.name in ("tests", "examples")]
    assert wrong == []


@pytest.mark.parametrize("name", sorted(MOST))
def test_bytecode_makes_no_zip_larger_than_it_was_without(name: str) -> None:
    assert int(summary_of(base_zips()[name])["zipped"]) <= MOST[name]
