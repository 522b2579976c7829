"""The manifest of a cloud assembly: which stacks are deployed, from which templates, with which files beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ringfence.deployed.problems import UnresolvedTemplate, reading

_MANIFEST: Final = "manifest.json"
_AGAIN: Final = "Synthesise again (make synth)."
_STACK, _ASSETS = "aws:cloudformation:stack", "cdk:asset-manifest"
# Pictures of the app: nothing of an account is made of them.
_ASIDE: Final = frozenset({"cdk:tree", "cdk:feature-flag-report"})
# CloudFormation puts a stack's tags on whatever it makes, where conditions of policies read them: any other could open.
_TAGS: Final = frozenset({"ringfence:department", "ringfence:environment"})
# Address in the bucket, and file.
_Upload = tuple[str, Path]


@dataclass(frozen=True)
class DescribedStack:
    """A stack as the manifest has it.

    Attributes:
        environment: `aws://<account>/<region>`.
    """

    name: str
    environment: str
    template: Mapping[str, Any]


@dataclass(frozen=True)
class Manifest:
    """What a manifest names.

    Attributes:
        stacks: in the order of the manifest.
        assets: the file or folder that deployment uploads, by key of the asset bucket.
    """

    stacks: tuple[DescribedStack, ...]
    assets: Mapping[str, Path]


def read_manifest(path: Path) -> Manifest:
    """Read `manifest.json`, the templates and the asset lists of a `cdk.out` folder.

    Raises:
        UnresolvedTemplate: the folder is no cloud assembly, or holds an artifact that nothing reads, two stacks of one
            name or two files of one key, or a stack that deployment would tag otherwise, or take from another file.
    """
    artifacts = _artifacts(path)
    files = _files(path, artifacts)
    stacks: dict[str, DescribedStack] = {}
    for artifact_id, artifact in artifacts.items():
        kind = artifact["type"]
        if kind == _STACK:
            with reading(artifact_id, _MANIFEST, _AGAIN):
                stack = _stack(path, artifact_id, artifact, files)
            if stack.name in stacks:
                raise _problem(artifact_id, f"is a second stack of the name {stack.name}")
            stacks[stack.name] = stack
        elif kind != _ASSETS and kind not in _ASIDE:
            raise _problem(artifact_id, f"is of the kind {kind}, which nothing reads")
    if not stacks:
        raise _problem(str(path), "holds no stack")
    return Manifest(tuple(stacks.values()), {key: file for key, (_, file) in files.items()})


def _artifacts(path: Path) -> dict[str, Any]:
    manifest = path / _MANIFEST
    if not manifest.is_file():
        again = "Synthesise first (make prove, or make synth and --assembly cdk.out)."
        raise UnresolvedTemplate(str(path), _MANIFEST, "is missing", again)
    with reading(str(path), _MANIFEST, _AGAIN):
        artifacts = _object(manifest)["artifacts"]
        return {name: {**artifact, "type": str(artifact["type"])} for name, artifact in artifacts.items()}


def _object(file: Path) -> Mapping[str, Any]:
    """The object that a file holds."""
    with reading(str(file.parent), file.name, _AGAIN):
        return dict(json.loads(file.read_text()).items())


def _files(path: Path, artifacts: Mapping[str, Any]) -> dict[str, _Upload]:
    """What is uploaded, by its key."""
    found: dict[str, _Upload] = {}
    for artifact_id, artifact in artifacts.items():
        with reading(artifact_id, _MANIFEST, _AGAIN):
            uploads = list(_uploads(path, artifact)) if artifact["type"] == _ASSETS else []
        for key, upload in uploads:
            if found.setdefault(key, upload) != upload:
                raise _problem(artifact_id, f"uploads a second file, or to a second bucket, as {key}")
    return found


def _uploads(path: Path, artifact: Mapping[str, Any]) -> Iterator[tuple[str, _Upload]]:
    file = artifact["properties"]["file"]
    assets = _object(path / file).get("files", {})
    with reading(str(path), file, _AGAIN):
        for asset in assets.values():
            for destination in asset["destinations"].values():
                key = destination["objectKey"]
                yield key, (f"s3://{destination['bucketName']}/{key}", path / asset["source"]["path"])


def _stack(path: Path, artifact_id: str, artifact: Mapping[str, Any], files: Mapping[str, _Upload]) -> DescribedStack:
    properties = artifact["properties"]
    file = path / properties["templateFile"]
    # Without an address, deployment uploads the template file itself.
    address = properties.get("stackTemplateAssetObjectUrl")
    if address is not None and (address, file) not in files.values():
        raise _problem(artifact_id, f"is deployed from {address}, to which {file.name} is not uploaded")
    for tag in sorted(properties.get("tags", {}).keys() - _TAGS):
        raise _problem(artifact_id, f"tags all that the stack makes with {tag}; known: {', '.join(sorted(_TAGS))}")
    name = properties.get("stackName", artifact_id)
    return DescribedStack(name, artifact["environment"], _object(file))


def _problem(artifact_id: str, missing: str) -> UnresolvedTemplate:
    return UnresolvedTemplate(artifact_id, _MANIFEST, missing)
