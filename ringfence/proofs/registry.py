"""The proofs by name, and how to run them over one assembly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from ringfence.proofs import golden
from ringfence.proofs.each import (
    actions,
    boundaries,
    callers,
    cedar,
    entry,
    escalation,
    mutation,
    network,
    oracle,
    outside,
    records,
    round_trip,
    sandbox,
    trust,
)
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.findings import Outcome
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps


class Case:
    """One assembly to be judged, with the sweeps that the proofs share."""

    def __init__(self, evidence: Evidence, *, golden_folder: Path = golden.FOLDER) -> None:
        self.evidence = evidence
        self.golden_folder = golden_folder

    @cached_property
    def sweeps(self) -> PermissionSweeps:
        """What every role can do; made at the first proof that asks, and used by all."""
        return PermissionSweeps(self.evidence)


@dataclass(frozen=True)
class Proof:
    """One proof.

    Attributes:
        by_default: whether it runs when nobody names proofs.
    """

    title: str
    run: Callable[[Case], Outcome]
    by_default: bool = True


PROOFS: Final[Mapping[str, Proof]] = {
    "actions": Proof(
        "every AWS action: personas can do what the catalogue promises, in London, and nothing else",
        lambda case: actions.prove(case.evidence, case.sweeps),
    ),
    "golden": Proof(
        "what every role can do equals the committed record",
        lambda case: golden.prove(case.evidence, case.golden_folder, case.sweeps),
    ),
    "escalation": Proof(
        "no escalation path open, no role passed on, nothing tagged into the sandbox; exceptions are told",
        lambda case: escalation.prove(case.evidence, case.sweeps),
    ),
    "outside": Proof(
        "no role can touch what another account owns, by whatever service, endpoint policies left out",
        lambda case: outside.prove(case.evidence, case.sweeps),
    ),
    "records": Proof(
        "no persona, call or passed role touches the records, no runtime another's, and the trail holds every call",
        lambda case: records.prove(case.evidence, case.sweeps),
    ),
    "sandbox": Proof(
        "a call above read reaches what is named or marked for the sandbox, or for a restart; exceptions are told",
        lambda case: sandbox.prove(case.evidence, case.sweeps),
    ),
    "boundaries": Proof(
        "no boundary holds more than its roles need, and none lets a named danger in, even if its list grew",
        lambda case: boundaries.prove(case.evidence, case.sweeps),
    ),
    "trust": Proof(
        "each role is taken by whoever works as it, a persona's by its runtimes for a named human with the call's tags",
        lambda case: trust.prove(case.evidence, case.sweeps),
    ),
    "callers": Proof(
        "a runtime answers its own gateway, a gateway the department's networks, a key signs for one function",
        lambda case: callers.prove(case.evidence, case.sweeps),
    ),
    "entry": Proof(
        "a call needs a short token that the pool gave a host for one persona, and comes from its networks in the UK",
        lambda case: entry.prove(case.evidence),
    ),
    "network": Proof(
        "no way out but the endpoints, and no endpoint that nothing needs",
        lambda case: network.prove(case.evidence, case.sweeps),
    ),
    "cedar": Proof(
        "the gateways' policies decide every call as the catalogue says",
        lambda case: cedar.prove(case.evidence),
    ),
    "round-trip": Proof(
        "templates and zips read back are the catalogue again",
        lambda case: round_trip.prove(case.evidence),
    ),
    "mutation": Proof(
        "no statement of any lock can be taken out unnoticed",
        lambda case: mutation.prove(case.evidence, case.sweeps),
    ),
    "oracle": Proof(
        "an independent policy simulator decides as we do, over every AWS action (needs Node; minutes)",
        lambda case: oracle.prove(case.evidence, case.sweeps),
        by_default=False,
    ),
}


@dataclass(frozen=True)
class Result:
    """A proof that was run: its name, outcome and duration in seconds."""

    name: str
    outcome: Outcome
    seconds: float

    def as_data(self) -> dict[str, Any]:
        """For the JSON report."""
        return {
            "name": self.name,
            "title": PROOFS[self.name].title,
            "holds": self.outcome.holds,
            "looked_at": dict(self.outcome.looked_at),
            "on_purpose": list(self.outcome.on_purpose),
            "seconds": round(self.seconds, 3),
            "findings": [{"subject": each.subject, "message": each.message} for each in self.outcome.findings],
        }


def default_names() -> list[str]:
    """The proofs that run when nobody names any."""
    return [name for name, proof in PROOFS.items() if proof.by_default]


def run(case: Case, names: Iterable[str], *, tell: Callable[[str], object] = lambda _text: None) -> list[Result]:
    """Run proofs in the order of the table.

    Args:
        tell: told of each proof as it begins, since some take seconds.

    Raises:
        UnresolvedTemplate: the assembly holds something that cannot be judged.
        UndecidablePolicy: a policy holds something that cannot be judged.
    """
    chosen = set(names)
    results: list[Result] = []
    for name, proof in PROOFS.items():
        if name in chosen:
            tell(f"{len(results) + 1} of {len(chosen)}: {name}")
            started = time.perf_counter()
            outcome = proof.run(case)
            results.append(Result(name, outcome, time.perf_counter() - started))
    return results
