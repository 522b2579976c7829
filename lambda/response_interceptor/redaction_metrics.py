"""How much of each kind was taken out, as metrics: counts and kinds, and never a value.

CloudWatch makes metrics of a line in its embedded metric format, without a call and without a right: on Lambda it is
enough to write the line to standard output (CloudWatch user guide, "Specification: Embedded metric format", read 29
November 2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

NAMESPACE: Final = "Ringfence/Redaction"


def redaction_metrics(counts: Mapping[str, int], *, department: str, persona: str, now: float) -> dict[str, Any] | None:
    """Return the line that counts what one answer lost, None where it lost nothing.

    Args:
        counts: values by kind, which is the metric's name.
        department: a dimension of each metric.
        persona: the other.
        now: seconds since 1970.
    """
    kinds = sorted(kind for kind, count in counts.items() if count)
    if not kinds:
        return None
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["department", "persona"]],
        "Metrics": [{"Name": kind, "Unit": "Count"} for kind in kinds],
    }
    about = {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]}
    return {"_aws": about, "department": department, "persona": persona, **{kind: counts[kind] for kind in kinds}}
