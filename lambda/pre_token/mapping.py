"""From the department's groups to personas: what an access token says about a person, as pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

GROUPS_ATTRIBUTE = "custom:groups"
STAFF_ID_ATTRIBUTE = "custom:staff_id"

# What STS takes as SourceIdentity, so that CloudTrail can name the person.
_STAFF_ID = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)

# A directory's id of a group: a UUID, or a security identifier of Windows.
_ID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|S-1(?:-[0-9]{1,20}){2,15}", re.ASCII)


class SignInRefused(Exception):
    """Nobody gets a token from this sign-in. Cognito passes the message on to the person, so it holds no data."""


@dataclass(frozen=True, kw_only=True)
class PersonaMapping:
    """Which of the department's groups wear which persona.

    Attributes:
        groups: the department's group names by persona.
        scope_prefix: what stands before the persona in a scope, `ringfence/`.
        plain_names: whether no group's name holds a comma, bracket or quotation mark, as the department says.
    """

    groups: dict[str, frozenset[str]]
    scope_prefix: str
    plain_names: bool = False

    @classmethod
    def from_environment(cls, *, groups: str, scope_prefix: str, group_names: str = "") -> PersonaMapping:
        """Read the function's environment: `GROUPS` is JSON, {"auditor": ["SG-Cloud-Audit"]}.

        Args:
            groups: `GROUPS`.
            scope_prefix: `SCOPE_PREFIX`.
            group_names: `GROUP_NAMES`: `plain`, or nothing.

        Raises:
            ValueError: it is not such JSON.
        """
        found = json.loads(groups)
        if not isinstance(found, dict) or not all(isinstance(names, list) for names in found.values()):
            raise ValueError('GROUPS must be a JSON object such as {"auditor": ["SG-Cloud-Audit"]}')
        return cls(
            groups={persona: frozenset(names) for persona, names in found.items()},
            scope_prefix=scope_prefix,
            plain_names=group_names == "plain",
        )

    def personas(self, groups: Iterable[str]) -> list[str]:
        """Return the personas that a person with these groups holds, sorted. Unknown groups count for nothing."""
        held = frozenset(groups)
        return sorted(persona for persona, names in self.groups.items() if names & held)


def token_claims(event: dict[str, Any], *, mapping: PersonaMapping) -> dict[str, Any]:
    """Return Cognito's `claimsAndScopeOverrideDetails` (pre token generation, version 2) for one sign-in.

    Both tokens carry the personas instead of the department's group names, which are nobody else's business. The access
    token carries the staff id, and of our scopes only those of personas the person holds: asking for more gets less. A
    person who holds no persona gets a token that opens no gateway.

    Raises:
        SignInRefused: the person has no usable staff id.
    """
    request = event["request"]
    attributes = request.get("userAttributes") or {}
    staff_id = attributes.get(STAFF_ID_ATTRIBUTE)
    if not isinstance(staff_id, str) or not _STAFF_ID.fullmatch(staff_id):
        raise SignInRefused(
            "Your account carries no usable staff id (2 to 64 letters, digits or _+=,.@-). "
            + (
                "Ask your identity team to send it to Ringfence."
                if _is_federated(attributes)
                else f"Ask whoever made it in the user pool to set its attribute {STAFF_ID_ATTRIBUTE}."
            )
        )
    personas = mapping.personas(_groups(request, attributes, mapping=mapping))
    held = {f"{mapping.scope_prefix}{persona}" for persona in personas}
    offered = {*(request.get("scopes") or ()), *(f"{mapping.scope_prefix}{persona}" for persona in mapping.groups)}
    unheld = {scope for scope in offered if scope.startswith(mapping.scope_prefix)} - held
    return {
        # An empty list takes the claim away; leaving the list out would let Cognito's own groups through.
        "groupOverrideDetails": {"groupsToOverride": personas, "iamRolesToOverride": []},
        "accessTokenGeneration": {
            "claimsToAddOrOverride": {"staff_id": staff_id},
            "scopesToSuppress": sorted(unheld),
        },
        "idTokenGeneration": {"claimsToSuppress": [GROUPS_ATTRIBUTE]},
    }


def _groups(request: dict[str, Any], attributes: dict[str, Any], *, mapping: PersonaMapping) -> list[str]:
    """Return a person's groups from where they are kept: never from both places.

    People of the department's provider have them in an attribute that their provider writes at each sign-in. People
    made in the pool have Cognito groups; for them the attribute counts for nothing, so writing it gains nothing.
    """
    if _is_federated(attributes):
        return listed_groups(attributes.get(GROUPS_ATTRIBUTE), plain_names=mapping.plain_names)
    groups = (request.get("groupConfiguration") or {}).get("groupsToOverride") or []
    return [group for group in groups if isinstance(group, str)]


def _is_federated(attributes: dict[str, Any]) -> bool:
    return attributes.get("cognito:user_status") == "EXTERNAL_PROVIDER"


def listed_groups(attribute: object, *, plain_names: bool = False) -> list[str]:
    """Return the groups in an attribute; none for anything that is not one text.

    A federated provider's list arrives as one text: JSON from some, `[a, b]` without quotes from others (Cognito's own
    rendering of a SAML list), or names with commas between; and one that holds a single name may be that name alone.
    Where staff may name groups, `Lunch club, SG-Cloud-Audit` and `["SG-Cloud-Audit"]` are names too. So without the
    department's word a text counts only if everything in it is an id, which nobody chooses.

    Args:
        attribute: the attribute's value.
        plain_names: whether no group's name holds a comma, a bracket or a quotation mark.
    """
    if not isinstance(attribute, str):
        return []
    names = _parts(attribute.strip())
    return names if plain_names or all(_ID.fullmatch(name) for name in names) else []


def _parts(text: str) -> list[str]:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        parsed = None
    if isinstance(parsed, list):
        return [name for name in parsed if isinstance(name, str)]
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    return [name for part in text.split(",") if (name := part.strip())]
