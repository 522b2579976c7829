"""What must hold of the MCP hosts in a department file.

The checks read the parsed file, not the model, as those of `department_checks` do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.catalogue.hosts import CUSTOM, HostKind, RefusedHost
from ringfence.reading.problems import ABSENT, Problem, shown


def problems(
    data: dict[str, Any], *, kinds: Mapping[str, HostKind], refused: Mapping[str, RefusedHost]
) -> list[Problem]:
    """Returns what is wrong with the hosts."""
    hosts = data.get("hosts")
    tables = [(index, host) for index, host in enumerate(hosts if isinstance(hosts, list) else [])]
    entries = [(f"hosts[{index}]", host) for index, host in tables if isinstance(host, dict)]
    return [*_kinds(entries, kinds, refused), *_callbacks(entries, kinds, refused), *_repeated(entries)]


def _kinds(
    entries: list[tuple[str, dict[str, Any]]], kinds: Mapping[str, HostKind], refused: Mapping[str, RefusedHost]
) -> Iterator[Problem]:
    for place, host in entries:
        kind = host.get("kind")
        if kind is None:
            remedy = f"Add `kind`, one of: {', '.join([*sorted(kinds), CUSTOM])}."
            yield Problem(f"{place}.kind", ABSENT, "This field is required.", remedy)
        if not isinstance(kind, str):
            continue
        if kind in kinds:
            yield from _known(place, host, kinds[kind])
        elif kind == CUSTOM:
            yield from _custom(place, host)
        elif kind in refused:
            yield Problem(f"{place}.kind", shown(kind), refused[kind].because, _other(kinds))
        else:
            near = difflib.get_close_matches(kind, [*kinds, CUSTOM], n=1)
            remedy = f"Did you mean `{near[0]}`?" if near else f"Choose one of: {', '.join([*sorted(kinds), CUSTOM])}."
            yield Problem(
                f"{place}.kind", shown(kind), "There is no such kind of host in catalogue/hosts.toml.", remedy
            )


def _callbacks(
    entries: list[tuple[str, dict[str, Any]]], kinds: Mapping[str, HostKind], refused: Mapping[str, RefusedHost]
) -> Iterator[Problem]:
    """Yields the addresses at which a refused host would get the code, whatever kind the entry says it is."""
    for place, host in entries:
        urls = host.get("callback_urls")
        for index, url in enumerate(urls if isinstance(urls, list) else []):
            names = [name for name, each in refused.items() if isinstance(url, str) and each.receives(url)]
            if names:
                message = f"This is a callback of {' and '.join(names)}. {refused[names[0]].because}"
                yield Problem(f"{place}.callback_urls[{index}]", shown(url), message, _other(kinds))


def _other(kinds: Mapping[str, HostKind]) -> str:
    return f"Remove it, and choose a host on staff's own computers: {', '.join(sorted(kinds))}."


def _known(place: str, host: dict[str, Any], kind: HostKind) -> Iterator[Problem]:
    if "callback_urls" in host:
        remedy = f'Remove it; for other addresses write `kind = "{CUSTOM}"`.'
        message = f"The callbacks of {kind.title} come from catalogue/hosts.toml."
        yield Problem(f"{place}.callback_urls", shown(host["callback_urls"]), message, remedy)


def _custom(place: str, host: dict[str, Any]) -> Iterator[Problem]:
    remedies = {
        "name": 'Write a short name, such as `name = "our-assistant"`.',
        "callback_urls": "Write the addresses that the host's documentation names.",
    }
    for key, remedy in remedies.items():
        if key not in host:
            yield Problem(f"{place}.{key}", ABSENT, f"A host of the kind {CUSTOM} needs it.", remedy)


def _repeated(entries: list[tuple[str, dict[str, Any]]]) -> Iterator[Problem]:
    seen: list[str] = []
    for place, host in entries:
        name = host.get("name", host.get("kind"))
        if not isinstance(name, str):
            continue
        if name in seen:
            remedy = "Rename one of them." if "name" in host else "Give one of them a `name` of its own, or remove it."
            yield Problem(f"{place}.name", shown(name), "Two hosts have this name.", remedy)
        seen.append(name)
