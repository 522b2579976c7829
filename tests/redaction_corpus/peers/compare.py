"""The corpus through this project's redactor and through those of others, side by side in one run."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.redaction_corpus.adapter import ROOT, interceptor
from tests.redaction_corpus.generator import corpus
from tests.redaction_corpus.model import LAYERED, PLAIN, Document
from tests.redaction_corpus.scorer import Score, score
from tests.redaction_corpus.values.kinds import kinds

ENVIRONMENT: Final = ROOT / "build" / "peers-redaction"
PACKAGES: Final = {
    "presidio": "presidio-analyzer==2.2.366",
    "detect_secrets": "detect-secrets==1.5.0",
    "scrubadub": "scrubadub==2.0.1",
    "datafog": "datafog==4.9.0",
}
"""The peers by their names in child.py, as released on PyPI; chosen on 29 November 2026."""
OURS: Final = "ringfence"


class PeersMissing(RuntimeError):
    """The environment of the peers has not been made."""


@dataclass(frozen=True)
class Compared:
    """One redactor's figures.

    Attributes:
        name: of the redactor.
        recalls: recall of values without disguise, by kind.
        plain: recall of values in one disguise.
        layered: recall of values in one disguise upon another.
        changed: share of letters and digits outside of all values that it changed.
        speed: MB per second of processor time.
    """

    name: str
    recalls: Mapping[str, float]
    plain: float
    layered: float
    changed: float
    speed: float

    @property
    def recall(self) -> float:
        """Mean of the recalls of all kinds."""
        return sum(self.recalls.values()) / len(self.recalls)

    @property
    def kinds(self) -> int:
        """How many kinds it finds at least half of."""
        return sum(recall >= 0.5 for recall in self.recalls.values())


def install() -> None:
    """Make the peers' environment anew.

    Raises:
        subprocess.CalledProcessError: uv could not.
    """
    uv, python = ROOT / ".venv" / "bin" / "uv", ROOT / ".venv" / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", python, ENVIRONMENT], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", ENVIRONMENT, *PACKAGES.values()], check=True)


def compare(documents: Sequence[Document] | None = None) -> list[Compared]:
    """Let each redactor work on the same documents, this project's first.

    Raises:
        PeersMissing: there is no environment of the peers.
        RuntimeError: a peer failed.
    """
    if not (ENVIRONMENT / "bin" / "python").exists():
        raise PeersMissing("the peers are not installed: python -m tests.redaction_corpus.peers --install")
    chosen = corpus() if documents is None else documents
    with interceptor() as redact:
        made = [compared(OURS, score(redact, chosen))]
    return [*made, *(compared(name, _peer(name, chosen)) for name in PACKAGES)]


def _peer(name: str, documents: Sequence[Document]) -> Score:
    texts = [document.text for document in documents]
    command = [ENVIRONMENT / "bin" / "python", Path(__file__).with_name("child.py"), name]
    ran = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(f"{name} failed: {ran.stderr.strip()[-400:]}")
    told = json.loads(ran.stdout)
    made = score(dict(zip(texts, told["texts"], strict=True)).__getitem__, documents)
    made.processor_seconds = told["seconds"]
    return made


def compared(name: str, made: Score) -> Compared:
    """The figures of a score."""
    return Compared(
        name=name,
        recalls={kind: made.recall(kind) for kind in kinds()},
        plain=made.recall_of_disguises(PLAIN),
        layered=made.recall_of_disguises(LAYERED),
        changed=made.changed_share,
        speed=made.characters / 1e6 / max(made.processor_seconds, 1e-9),
    )


def table(rows: Sequence[Compared]) -> str:
    """The figures for a person, and below them the recall of each kind in percent."""
    head = f"{'redactor':16} {'recall':>7} {'kinds':>6} {'plain':>6} {'layered':>8} {'changed':>9} {'MB/s':>7}"
    return "\n".join(
        [
            head,
            *(
                f"{row.name:16} {row.recall:7.3f} {row.kinds:3}/{len(kinds())} {row.plain:6.3f} {row.layered:8.3f} "
                f"{row.changed:9.4%} {row.speed:7.2f}"
                for row in rows
            ),
            "",
            f"{'recall, %':20}" + "".join(f"{row.name:>16}" for row in rows),
            *(f"{kind:20}" + "".join(f"{row.recalls[kind]:16.0%}" for row in rows) for kind in kinds()),
        ]
    )
