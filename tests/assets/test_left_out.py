"""What is not deployed: lists that fit the packages, services that follow from the catalogue, and what it gains."""

from __future__ import annotations

from pathlib import Path

import pytest

from assets import bundles
from assets.local import packages
from assets.pruning import LeftOut, NothingToLeaveOut, called_prefixes, left_out_of, prune
from assets.zips import base_zips, summary_of

ROOT = Path(__file__).resolve().parents[2]
# Bytes of the base zips before they held bytecode and before anything but botocore's data was left out of them.
BEFORE = {
    "runtime-aws-api": 72_700_000,
    "runtime-cloudtrail": 35_500_000,
    "runtime-cloudwatch": 110_000_000,
    "runtime-dataprocessing": 36_900_000,
    "runtime-eks": 47_500_000,
    "runtime-iam": 30_000_000,
    "runtime-sagemaker": 36_800_000,
    "runtime-serverless": 65_300_000,
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
        (LeftOut(only=(("lexers", ("three.py",)),), aws_services=("iam",)), "lexers holds no three.py"),
    ],
)
def test_a_list_of_another_version_is_refused(tree: Path, left_out: LeftOut, message: str) -> None:
    with pytest.raises(NothingToLeaveOut, match=message):
        prune(tree, left_out)


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


@pytest.mark.parametrize("name", sorted(BEFORE))
def test_no_server_zip_is_larger_than_before_it_held_bytecode(name: str) -> None:
    assert int(summary_of(base_zips()[name])["zipped"]) <= BEFORE[name]
