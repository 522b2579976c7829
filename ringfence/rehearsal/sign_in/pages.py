"""The pages of the sign-in: plain forms, no script, in the look of GOV.UK without its font and crest."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Final
from urllib.parse import urlsplit

from ringfence.rehearsal.identity.people import Person
from ringfence.rehearsal.loopback import NAMES as LOOPBACK
from ringfence.rehearsal.sign_in.problems import Refused
from ringfence.rehearsal.sign_in.requests import Request

_HERE: Final = Path(__file__).parent
_PAGE: Final = Template((_HERE / "page.html").read_text(encoding="utf-8"))
_STYLE: Final = (_HERE / "page.css").read_text(encoding="utf-8")
STYLE_HASH: Final = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
"""What a content security policy must admit for the pages to have their look."""

_PERSON: Final = "Who are you?"
_PERSONA: Final = "What do you want to work as?"


def front(
    department: str,
    *,
    gateways: Mapping[str, str],
    hosts: Mapping[str, Sequence[str]],
    people: Sequence[Person],
    signed_in: Person | None,
) -> str:
    """What the server's own address shows: what is served, how a host comes to it, and who can sign in.

    Args:
        hosts: the department's hosts by name, with where each receives its code.
    """
    rows = "".join(
        f'<tr><th scope="row">{escape(persona)}</th><td><code>{escape(url)}</code></td></tr>\n'
        for persona, url in gateways.items()
    )
    commands = "".join(
        f"<h3>{escape(host)}</h3>\n{_elsewhere(callbacks)}<pre><code>{escape(_commands(host, gateways))}</code></pre>\n"
        for host, callbacks in hosts.items()
    )
    listed = "".join(
        f"<li><strong>{escape(each.user.staff_id)}</strong><br>{escape(_hint(each))}</li>\n" for each in people
    )
    who = f"as <strong>{escape(signed_in.user.staff_id)}</strong>" if signed_in else "as nobody"
    title = f"Rehearsal of {department}"
    body = (
        f"<h1>{escape(title)}</h1>\n<p>A sign-in begins in an MCP host, which opens a page of this server.</p>\n"
        '<h2>Gateways</h2>\n<table><thead><tr><th scope="col">Persona</th><th scope="col">Address</th></tr></thead>\n'
        f"<tbody>{rows}</tbody></table>\n<h2>Connect a host</h2>\n"
        f"<p>In the folder of the project, each line prints what the host needs to work as one persona. "
        f"Another host needs <code>[[hosts]]</code> in departments/{escape(department)}.toml first; "
        "then serve again.</p>\n"
        f"{commands}"
        f"<h2>Who can sign in</h2>\n<ul>{listed}</ul>\n<h2>Sign out</h2>\n<p>This browser is signed in {who}.</p>\n"
        '<p><a href="/logout">Sign out of this browser</a></p>\n'
    )
    return _page(department, title, body)


def choice(
    department: str,
    request: Request,
    people: Sequence[Person],
    personas: Sequence[str],
    *,
    form: Mapping[str, str] | None = None,
) -> str:
    """Somebody chooses who they are, and as what they work.

    Args:
        form: what was sent when something was left out.
    """
    missing = [] if form is None else _missing(form, people, personas)
    host = escape(request.client.name)
    body = (
        _summary(missing) + f"<h1>Sign in to Ringfence</h1>\n<p>The MCP host <strong>{host}</strong> asks you to.</p>\n"
    )
    rows = [(person.user.staff_id, person.user.staff_id, _hint(person)) for person in people]
    body += _form(
        request,
        _radios("person", _PERSON, rows, chosen=(form or {}).get("person"), wrong="person" in missing)
        + _personas(personas, (form or {}).get("persona"), wrong="persona" in missing)
        + "<button>Sign in</button>\n",
    )
    return _page(department, "Sign in to Ringfence", body + _cancel(request), error=bool(missing))


def going_on(department: str, request: Request, person: Person, personas: Sequence[str], *, again: str) -> str:
    """Somebody has signed in with this browser before, and may go on as they are.

    Args:
        again: where to choose anew.
    """
    staff_id, held = escape(person.user.staff_id), [name for name in personas if name in person.personas]
    title = f"Go on as {person.user.staff_id}"
    lack = (
        ""
        if held
        else (
            f'<p class="inset">{staff_id} is not a member of {escape(_or(personas))}. '
            "One browser is one person at a time: choose somebody else.</p>\n"
        )
    )
    body = (
        f"<h1>{escape(title)}?</h1>\n<p>This browser has signed in as <strong>{staff_id}</strong>. The MCP host "
        f"<strong>{escape(request.client.name)}</strong> now asks to work as {escape(_or(personas))}.</p>\n{lack}"
    )
    kept = _hidden("person", person.user.staff_id) + _personas(personas, held[0] if held else None)
    body += _form(request, kept + f"<button>Go on as {staff_id}</button>\n")
    return _page(
        department, title, f'{body}<p><a href="{escape(again)}">Choose somebody else</a></p>\n{_cancel(request)}'
    )


def not_a_member(department: str, request: Request, person: Person, persona: str) -> str:
    """Somebody chose to work as what none of their groups gives them."""
    staff_id, title = person.user.staff_id, f"{person.user.staff_id} is not a member of {persona}"
    groups = ", ".join(person.user.groups)
    body = (
        f"<h1>{escape(title)}</h1>\n<p>Their groups are: {escape(groups)}. None of them stands under [identity.groups] "
        f"for {escape(persona)} in the department file. Cognito would sign them in all the same, with a token that "
        "opens no gateway; the host then says that its scope is insufficient.</p>\n"
        "<p>Choose somebody else, or see what the host makes of it.</p>\n"
    )
    again = f'<p><a href="/oauth2/authorize?{escape(request.query)}">Choose somebody else</a></p>\n'
    kept = _hidden("person", staff_id) + _hidden("persona", persona) + _hidden("anyway", "yes")
    body += again + _form(request, kept + f'<button class="second">Go on as {escape(staff_id)} all the same</button>\n')
    return _page(department, title, body + _cancel(request))


def signed_out(department: str, person: Person | None, leaves_refresh_tokens: bool) -> str:
    """The browser's session has ended."""
    who = f"<p>{escape(person.user.staff_id)} is signed out of this browser.</p>\n" if person else ""
    leaves = (
        "<p>Hosts that are connected stay connected, as with Cognito: each holds a refresh token of its own. To end "
        "that, sign out in the host, which should revoke it at /oauth2/revoke, or wait until it expires.</p>\n"
    )
    return _page(
        department, "You are signed out", f"<h1>You are signed out</h1>\n{who}{leaves * leaves_refresh_tokens}"
    )


def refused(department: str, problem: Refused) -> str:
    """What is wrong and what to do."""
    body = f"<h1>{escape(problem.title)}</h1>\n<p>{escape(problem.text)}</p>\n<p>{escape(problem.remedy)}</p>\n"
    return _page(department, problem.title, body, error=True)


def _page(department: str, title: str, body: str, *, error: bool = False) -> str:
    shown = f"{'Error: ' * error}{title}"
    return _PAGE.substitute(title=escape(shown), style=_STYLE, body=body, department=escape(department))


def _form(request: Request, inside: str) -> str:
    return f'<form method="post" action="/login" novalidate>\n{_hidden("request", request.query)}{inside}</form>\n'


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">\n'


def _cancel(request: Request) -> str:
    denied = request.answered(error="access_denied", error_description="The person cancelled the sign-in.")
    return f'<p><a href="{escape(denied)}">Cancel and go back to the host</a></p>\n'


def _personas(personas: Sequence[str], chosen: str | None, *, wrong: bool = False) -> str:
    """The choice of a persona; where there is none, a sentence."""
    if len(personas) == 1:
        told = f'<p class="inset">You work as <strong>{escape(personas[0])}</strong>.</p>\n'
        return told + _hidden("persona", personas[0])
    return _radios("persona", _PERSONA, [(name, name, "") for name in personas], chosen=chosen, wrong=wrong)


def _radios(name: str, legend: str, rows: Sequence[tuple[str, str, str]], *, chosen: str | None, wrong: bool) -> str:
    made = []
    for index, (value, label, hint) in enumerate(rows):
        id_, checked = f"{name}{index or ''}", " checked" if value == chosen else ""
        described = f' aria-describedby="{id_}-hint"' if hint else ""
        told = f'<span class="hint" id="{id_}-hint">{escape(hint)}</span>' if hint else ""
        made.append(
            f'<div class="radio"><input type="radio" id="{id_}" name="{name}" value="{escape(value)}"'
            f'{described}{checked}><label for="{id_}">{escape(label)}</label>{told}</div>\n'
        )
    message = f'<p class="message" id="{name}-wrong">{_MESSAGES[name]}</p>\n' if wrong else ""
    marks = f' class="wrong" aria-describedby="{name}-wrong"' if wrong else ""
    return f"<fieldset{marks}><legend>{legend}</legend>\n{message}{''.join(made)}</fieldset>\n"


_MESSAGES: Final = {"person": "Select who you are", "persona": "Select what you want to work as"}


def _missing(form: Mapping[str, str], people: Sequence[Person], personas: Sequence[str]) -> list[str]:
    known = {"person": {person.user.staff_id for person in people}, "persona": set(personas)}
    return [name for name in _MESSAGES if form.get(name) not in known[name]]


def _summary(missing: Sequence[str]) -> str:
    if not missing:
        return ""
    links = "".join(f'<li><a href="#{name}">{_MESSAGES[name]}</a></li>' for name in missing)
    return f'<div class="error" role="alert"><h2>There is a problem</h2><ul>{links}</ul></div>\n'


def _commands(host: str, personas: Iterable[str]) -> str:
    words = (("make", "connect", f"HOST={host}", f"PERSONA={persona}") for persona in personas)
    return "\n".join(map(shlex.join, words))


def _elsewhere(callbacks: Sequence[str]) -> str:
    """That a sign-in ends elsewhere, where no callback is on this computer: loopback, or a scheme of an app."""
    places = [urlsplit(each) for each in callbacks]
    if any(each.scheme not in ("http", "https") or each.hostname in LOOPBACK for each in places) or not places:
        return ""
    hosts = _or([str(each.hostname) for each in places])
    return f"<p>Its sign-in ends at {escape(hosts)}, not on this computer: nobody comes to the end of it here.</p>\n"


def _hint(person: Person) -> str:
    gives = f"may work as {_or(person.personas)}" if person.personas else "may work as no persona"
    return f"Member of {_and(person.user.groups)}; {gives}"


def _and(names: Sequence[str], word: str = "and") -> str:
    return f" {word} ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _or(names: Sequence[str]) -> str:
    return _and(names, "or")
