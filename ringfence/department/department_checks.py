"""What must hold across the fields of a department file.

The checks read the parsed file, not the model, so that they report together with the faults of single fields. Each
skips a field of the wrong kind: the model has already reported it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ringfence.department.identity import GROUP_ID
from ringfence.reading.chosen_file import nearest
from ringfence.reading.documents import path_text, strings_in
from ringfence.reading.placeholder_checks import is_example
from ringfence.reading.problems import ABSENT, Problem, shown
from ringfence.reading.region import REGION, foreign_regions

_FEWEST_ZONES = 2
_MOST_ZONES = 3
_SANDBOX = "sandbox"


def problems(data: dict[str, Any], *, file_name: str, personas: tuple[str, ...]) -> list[Problem]:
    """Returns what is wrong across fields.

    Args:
        file_name: The file's name without `.toml`.
    """
    return [
        *_name(data, file_name),
        *_regions(data),
        *_zones(data),
        *_personas(data, personas),
        *_retired(data, personas),
        *_txn_token_keys(data, personas),
        *_networks(data),
        *_provider(data),
        *_groups(data, personas),
        *_security(data),
        *_contact(data),
        *_bootstrap(data),
    ]


def clashes(data: dict[str, Any], others: Mapping[str, dict[str, Any]]) -> list[Problem]:
    """Returns what this file and another one cannot both have.

    Args:
        others: The department files beside it, by name.
    """
    return [*_begun_names(data, others), *_shared_prefixes(data, others)]


def _begun_names(data: dict[str, Any], others: Mapping[str, dict[str, Any]]) -> Iterator[Problem]:
    """Yields each department of the account whose name begins as this one's does, or is its beginning.

    Names in AWS begin `ringfence-<department>-`, and policies admit what begins so.
    """
    name, account = data.get("name"), data.get("account")
    for other, its in others.items():
        short, long = sorted((str(name), other), key=len)
        if isinstance(name, str) and its.get("account") == account and long.startswith(f"{short}-"):
            message = (
                f"Department {other} is in this account too, and what is named ringfence-{long}-… would be taken for "
                f"{short}'s."
            )
            yield Problem("name", shown(name), message, "Rename one of them, or give it an account of its own.")


def _shared_prefixes(data: dict[str, Any], others: Mapping[str, dict[str, Any]]) -> list[Problem]:
    """Returns each department with the same prefix; an example is never deployed, so it holds no address."""
    if is_example(str(data.get("name"))):
        return []
    prefix = _table(data.get("identity")).get("domain_prefix")
    return [
        Problem(
            "identity.domain_prefix",
            shown(prefix),
            f"Department {other} has this prefix, and one address in eu-west-2 leads to one sign-in page.",
            "Choose another prefix.",
        )
        for other, its in others.items()
        if isinstance(prefix, str)
        and not is_example(other)
        and _table(its.get("identity")).get("domain_prefix") == prefix
    ]


def _bootstrap(data: dict[str, Any]) -> Iterator[Problem]:
    key = _table(data.get("bootstrap")).get("key_arn")
    account = data.get("account")
    if isinstance(key, str) and isinstance(account, str) and key.count(":") == 5 and key.split(":")[4] != account:
        message = "The key is in another account, and no role here could be given the use of it."
        remedy = "Bootstrap with a key of the department's own account (`--bootstrap-customer-key`)."
        yield Problem("bootstrap.key_arn", shown(key), message, remedy)


def _name(data: dict[str, Any], file_name: str) -> Iterator[Problem]:
    name = data.get("name")
    if isinstance(name, str) and name != file_name:
        yield Problem("name", shown(name), f"The file is called {file_name}.toml.", f'Write `name = "{file_name}"`.')
    if isinstance(name, str) and name.startswith(_SANDBOX):
        message = (
            f"What is named ringfence-{_SANDBOX}-* belongs to the developers of a sandbox, and may be changed by them."
        )
        remedy = f"Put another word first: the department's own resources must not be named ringfence-{_SANDBOX}-*."
        yield Problem("name", shown(name), message, remedy)


def _regions(data: dict[str, Any]) -> Iterator[Problem]:
    for location, text in strings_in(data):
        if location[0] in ("availability_zones", "region", "aws_region"):
            continue  # told already: as a zone elsewhere, or as a key that does not exist
        for region in foreign_regions(text):
            yield Problem(
                path_text(location),
                shown(text, field=path_text(location)),
                f"This names the region {region}.",
                f"Only {REGION} is allowed; use a resource there, or an address without a region.",
            )


def _zones(data: dict[str, Any]) -> Iterator[Problem]:
    zones = _texts(data.get("availability_zones"))
    if zones is None:
        return
    field, value = "availability_zones", shown(zones)
    if len(set(zones)) != len(zones):
        yield Problem(field, value, "A zone is named twice.", "Name each zone once.")
    if len(set(zones)) < _FEWEST_ZONES:
        yield Problem(field, value, "Fewer than two zones are named.", "Name two, so that one may fail.")
    if len(zones) > _MOST_ZONES:
        yield Problem(field, value, "AgentCore runs in three zones only.", "Name two or three zones.")


def _personas(data: dict[str, Any], known: tuple[str, ...]) -> Iterator[Problem]:
    personas = _texts(data.get("personas"))
    if personas is None:
        return
    if not personas:
        yield Problem("personas", "[]", "No persona is named.", f"Name at least one of: {', '.join(known)}.")
    for index, persona in enumerate(personas):
        if persona not in known:
            yield unknown_persona(f"personas[{index}]", persona, known)
        if persona in personas[:index]:
            yield Problem(f"personas[{index}]", shown(persona), "The persona is named twice.", "Name it once.")


def _retired(data: dict[str, Any], known: tuple[str, ...]) -> Iterator[Problem]:
    held, retired = _texts(data.get("personas")) or [], _texts(data.get("retired")) or []
    for index, persona in enumerate(retired):
        field = f"retired[{index}]"
        if persona not in known:
            yield unknown_persona(field, persona, known)
        if persona in held:
            message = "The department holds this persona, so it is not retired."
            yield Problem(field, shown(persona), message, "Take it out of `personas`, or out of `retired`.")
        if persona in retired[:index]:
            yield Problem(field, shown(persona), "The persona is named twice.", "Name it once.")


def unknown_persona(field: str, persona: str, known: Iterable[str]) -> Problem:
    """Returns the problem with a persona that the catalogue does not know, with the one that may be meant."""
    near = nearest(persona, known)
    remedy = f"Did you mean `{near}`?" if near else f"Use: {', '.join(known)}."
    return Problem(field, shown(persona), "The catalogue knows no such persona.", remedy)


def meant(personas: object, known: Iterable[str]) -> list[str]:
    """Returns a file's personas as they are meant, each by the nearest known name, so that one slip is told once."""
    named = re.split(r"[\s,]+", personas) if isinstance(personas, str) else _texts(personas) or ()
    found = [persona if persona in known else nearest(persona, known) for persona in named]
    return list(dict.fromkeys(persona for persona in found if persona))


def _txn_token_keys(data: dict[str, Any], known: tuple[str, ...]) -> Iterator[Problem]:
    held = meant(data.get("personas"), known)
    for persona, number in _table(data.get("txn_token_keys")).items():
        if persona not in held:
            message = "The department holds no such persona, so no key signs for it."
            remedy = f"Name one of its personas: {', '.join(held)}."
            yield Problem(f"txn_token_keys.{persona}", shown(number), message, remedy)


def _networks(data: dict[str, Any]) -> Iterator[Problem]:
    network = _table(data.get("network"))
    cidr = _network(network.get("cidr"))
    for index, text in enumerate(_texts(network.get("existing_networks")) or ()):
        existing = _network(text)
        if cidr is not None and existing is not None and cidr.overlaps(existing):
            yield Problem(
                "network.cidr",
                shown(str(cidr)),
                f"It overlaps existing_networks[{index}] ({text}).",
                "Choose a free one.",
            )
    callers = [(text, _network(text)) for text in _texts(_table(data.get("ingress")).get("allowed_networks")) or ()]
    for index, (text, caller) in enumerate(callers):
        for other, earlier in callers[:index]:
            if caller is not None and earlier is not None and caller.overlaps(earlier):
                field = f"ingress.allowed_networks[{index}]"
                yield Problem(field, shown(text), f"It overlaps {other}.", "Keep the wider of the two.")


def _provider(data: dict[str, Any]) -> Iterator[Problem]:
    provider = _table(data.get("identity")).get("provider", ABSENT)
    if data.get("environment") == "production" and provider == "none":
        yield Problem(
            "identity.provider",
            shown("none"),
            "A production department signs its people in with its own identity provider.",
            'Use "oidc" or "saml"; "none" is for a sandbox only.',
        )


def _groups(data: dict[str, Any], known: tuple[str, ...]) -> Iterator[Problem]:
    identity = _table(data.get("identity"))
    groups = _table(identity.get("groups"))
    federated = identity.get("provider") in ("oidc", "saml")
    personas = meant(data.get("personas"), known)
    mapped = meant(list(groups), known)
    for persona in personas if federated else ():
        if persona not in mapped:
            remedy = f'Write `{persona} = ["<object id of the group>"]` under [identity.groups].'
            yield Problem(f"identity.groups.{persona}", ABSENT, "No group of yours is mapped to this persona.", remedy)
    for persona, names in groups.items():
        yield from _mapping(persona, names, data, known)
    if federated and "plain_names" not in identity:
        yield from _names(groups)


def _mapping(persona: str, names: object, data: dict[str, Any], known: tuple[str, ...]) -> Iterator[Problem]:
    field = f"identity.groups.{persona}"
    if persona not in known:
        yield unknown_persona(field, persona, known)
    elif persona not in meant(data.get("personas"), known):
        remedy = "Add it to `personas`, or remove the mapping."
        if persona not in (_texts(data.get("retired")) or []):
            remedy = f"{remedy.rstrip('.')}; a persona that was deployed is then named under `retired`."
        yield Problem(field, shown(names), "This department does not have this persona.", remedy)
    listed = _texts(names) or []
    if len(set(listed)) != len(listed):
        yield Problem(field, shown(names), "A group is named twice.", "Name each group once.")


def notes(data: dict[str, Any]) -> Iterator[Problem]:
    """Yields what may be meant and should be seen: a group whose people hold two personas.

    Args:
        data: The parsed department file, in which nothing is wrong.
    """
    groups = _table(_table(data.get("identity")).get("groups"))
    holders: dict[str, list[str]] = {}
    for persona, names in groups.items():
        for name in _texts(names) or ():
            holders.setdefault(name, []).append(persona)
    for name, personas in holders.items():
        if len(personas) > 1:
            *others, last = personas
            message = f"Whoever is in this group has {', '.join(others)} and {last}."
            yield Problem(
                "identity.groups", shown(name), message, "If that is not meant, give each a group of its own."
            )


def _names(groups: Mapping[str, Any]) -> Iterator[Problem]:
    """Names of groups, which count only with the department's word."""
    message = "A list of groups arrives as one text, and a group's name may look like one, so names count for nothing."
    remedy = (
        "Write the group's object id, or say in `plain_names` under [identity] why no group of your provider holds a "
        "comma, a bracket or a quotation mark in its name."
    )
    for persona, names in groups.items():
        for name in _texts(names) or ():
            if not GROUP_ID.fullmatch(name):
                yield Problem(f"identity.groups.{persona}", shown(name), message, remedy)


def _security(data: dict[str, Any]) -> Iterator[Problem]:
    if data.get("environment") == "production" and "security" not in data:
        message = "Nobody could switch a persona off but those who administer the whole account."
        remedy = 'Name the role of your security team: `[security]` and `roles = ["<name of the role>"]`.'
        yield Problem("security", ABSENT, message, remedy)


def _contact(data: dict[str, Any]) -> Iterator[Problem]:
    if data.get("environment") == "production" and "contact" not in data:
        message = "Whoever is refused would not be told whom to ask."
        remedy = 'Name who helps: `contact = "the platform team, platform@<your domain>"`.'
        yield Problem("contact", ABSENT, message, remedy)


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> list[str] | None:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return None
    return value


def _network(value: object) -> ipaddress.IPv4Network | None:
    """Returns a network to compare, or None for what the model refuses already, the whole internet included."""
    try:
        network = ipaddress.IPv4Network(value) if isinstance(value, str) and "/" in value else None
    except ValueError:
        return None
    return network if network is not None and network.prefixlen > 0 else None
