"""Whether the account offers the models that the department's hosts are to ask."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.live.before import Before
from ringfence.live.results import Result, right, wrong
from ringfence.reading.region import REGION


def on_demand(before: Before) -> Iterator[Result]:
    """Looks for each model of the file among those that run on demand in London, by their plain id."""
    chosen = before.needs.department.models
    if chosen is None:
        yield right("models", "The department's file names none.")
        return
    answer = before.account.ask("bedrock:ListFoundationModels", byInferenceType="ON_DEMAND") or {}
    states = {each["modelId"]: each.get("modelLifecycle", {}).get("status") for each in answer["modelSummaries"]}
    for name in chosen.ids:
        subject = f"model {name}"
        if name not in states:
            found = f"Bedrock lists no such model on demand in {REGION}."
            yield wrong(subject, found, "Choose another under [models], and correct catalogue/models.toml.")
        elif states[name] == "LEGACY":
            found = "It runs on demand, and Bedrock calls it LEGACY: it will go."
            yield wrong(subject, found, "Choose another under [models] before it does.", evidence=states[name])
        else:
            yield right(subject, f"It runs on demand in {REGION}.", evidence=states[name])
