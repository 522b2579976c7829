"""What clusters, builds, services and letters say when a secret or a person's number is in them."""

from __future__ import annotations

import base64
import json
from typing import Final
from urllib.parse import quote

from tests.redaction_corpus.second import noise
from tests.redaction_corpus.second.credentials import HEX, some
from tests.redaction_corpus.second.ink import Ink
from tests.redaction_corpus.second.scenes import HOST, Scene


def cluster_secret(ink: Ink) -> str:
    """Secrets of a cluster: in base64 as the API has them."""
    rng, style = ink.rng, ink.pick([json, None])
    names = {
        "password": "password",
        "api-key": ink.pick(["stripe", "sendgrid", "twilio"]),
        "token": ink.pick(["github", "vault"]),
    }
    data = {}
    for name, kind in names.items():
        hidden = base64.b64encode(ink.value(kind).encode()).decode()
        data[name] = ink.put(kind, "keyed", hidden, layers="plain", disguise="base64 of a cluster's secret")
    about = {
        "name": "claims-db",
        "namespace": "claims",
        "resourceVersion": str(rng.randint(10**6, 10**9)),
        "uid": noise.uuid(rng),
    }
    if style:
        return json.dumps(
            {"apiVersion": "v1", "kind": "Secret", "metadata": about, "type": "Opaque", "data": data},
            ensure_ascii=False,
        )
    lines = [f"  {name}: {value}" for name, value in data.items()]
    more = [f"  {name}: {value}" for name, value in about.items()]
    return "\n".join(["apiVersion: v1", "data:", *lines, "kind: Secret", "metadata:", *more, "type: Opaque"])


def cluster_environment(ink: Ink) -> str:
    """A pod's description, or a deployment, with values in the open."""
    rng = ink.rng
    rows = [
        ("DB_PASSWORD", "password"),
        *(
            (ink.key(kind, "upper"), kind)
            for kind in rng.sample(["slack", "npm", "gitlab", "vault", "pypi", "azure"], 2)
        ),
    ]
    if rng.random() < 0.5:
        lines = [f"        - name: {name}\n          value: {ink.pick(['', chr(34)])}" for name, _ in rows]
        lines = [
            f"{line}{ink.put(kind, 'keyed')}{line[-1] if line[-1] == chr(34) else ''}"
            for line, (_, kind) in zip(lines, rows, strict=True)
        ]
        return "\n".join(
            [
                "    spec:",
                "      containers:",
                f"      - image: {noise.ACCOUNT}.dkr.ecr.eu-west-2.amazonaws.com/claims@{noise.digest(rng)}",
                "        env:",
                *lines,
                "        ports:",
                "        - containerPort: 8080",
            ]
        )
    shown = [f"      {name + ':':24}{ink.put(kind, 'keyed')}" for name, kind in rows]
    return "\n".join(
        [
            f"Name:             {noise.pod(rng)}",
            f"Node:             {noise.node(rng)}/{noise.inside(rng)}",
            "Containers:",
            "  app:",
            f"    Container ID:   containerd://{some(rng, 64, HEX)}",
            "    Restart Count:  14",
            "    Environment:",
            "      LOG_LEVEL:              info",
            *shown,
        ]
    )


def build_log(ink: Ink) -> str:
    """What a build prints: tokens in addresses, commands and settings."""
    rng = ink.rng
    ways = [
        f"git clone https://x-access-token:{ink.put('github', 'connection')}@github.com/example/claims.git",
        f"remote: https://oauth2:{ink.put('gitlab', 'connection')}@gitlab.example.org/claims/api.git",
        f"//npm.example.org/:_authToken={ink.put('npm', 'keyed')}",
        f"twine upload -u __token__ -p {ink.put('pypi', 'bare')} dist/*",
        f"docker login -u AWS -p {ink.put('jwt', 'bare')} {noise.ACCOUNT}.dkr.ecr.eu-west-2.amazonaws.com",
        (
            "curl -X POST -H 'Content-type: application/json' https://hooks.slack.com/services/"
            f"T0{some(rng, 9, '0123456789')}/B0{some(rng, 9, '0123456789')}/"
            f"{ink.put('slack', 'connection', some(rng, 24))}"
        ),
        f"vault login {ink.put('vault', 'bare')}",
        f"curl https://api.stripe.com/v1/charges -u {ink.put('stripe', 'bare')}: -d amount=2000",
        f"GET https://maps.googleapis.com/maps/api/geocode/json?address=x&key={ink.put('google', 'query')} 200",
        (
            f"https://casefiles.blob.core.windows.net/in/a.csv?sv=2024-11-04&sp=r&"
            f"sig={ink.put('azure', 'query', quote(noise.base64_of(rng, 32), safe=''))}"
        ),
        f"export SENDGRID={ink.put('sendgrid', 'bare')}",
        f"twilio profiles:create {ink.put('twilio', 'bare')} --region ie1",
        f"mysql -h {HOST} -u root --password={ink.put('password', 'keyed')} claims < dump.sql",
    ]
    chosen = rng.sample(ways, 3)
    lines = [f"#{at + 5} {rng.randint(1, 90)}.{rng.randint(10, 99)} + {line}" for at, line in enumerate(chosen)]
    return "\n".join(["Step 4/9 : RUN make release", f" ---> {some(rng, 12, HEX)}", *lines, "Successfully built"])


def bare_in_log(ink: Ink) -> str:
    """Values with nothing beside them that says what they are: in paths, arrows, lists."""
    rng = ink.rng
    kinds = "nino iban card email postcode phone driving_licence nhs chi vat utr vehicle".split()
    kinds += "github jwt stripe aws_access_key gitlab slack sendgrid npm google vault twilio".split()
    ways = [
        "{head} GET /v1/people/{value}/entitlements 200 {ms}ms",
        "{head} lookup({value}) -> 1 row",
        "{head} no match for '{value}', falling back",
        "{head} dead letter: [{value}] after 5 attempts",
        "{head} merged {value} into case {ms}",
        "{value}",
        (
            "java.lang.IllegalStateException: duplicate entry '{value}' for key 'PRIMARY'\n\tat "
            "uk.example.Store.put(Store.java:{ms})"
        ),
        (
            'Traceback (most recent call last):\n  File "/var/task/app.py", line {ms}, in '
            "handler\nValueError: cannot parse {value}"
        ),
    ]
    lines = []
    for kind in rng.sample(kinds, rng.randint(2, 4)):
        way = ink.pick(ways)
        in_path = quote(ink.value(kind), safe="@+")
        value = ink.put(kind, "bare", in_path) if "/v1/" in way else ink.put(kind, "bare")
        lines.append(way.format(head=noise.head(rng), value=value, ms=rng.randint(3, 900)))
    return "\n".join([*lines, *noise.quiet_lines(rng, 1)])


def patient(ink: Ink) -> str:
    """A patient as the NHS's own API gives one (FHIR R4)."""
    rng = ink.rng
    made = {
        "resourceType": "Patient",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": ink.put("nhs", "keyed")}],
        "meta": {"versionId": str(rng.randint(1, 90)), "lastUpdated": noise.iso(rng)},
        "name": [{"use": "official", "text": ink.put("name", "keyed")}],
        "telecom": [{"system": "phone", "value": ink.put("phone", "keyed"), "use": "mobile"}],
        "birthDate": ink.put(
            "date_of_birth", "keyed", f"{rng.randint(1940, 2005)}-0{rng.randint(1, 9)}-{rng.randint(10, 28)}"
        ),
        "address": [{"line": [ink.put("address", "keyed")], "postalCode": ink.put("postcode", "keyed")}],
    }
    return json.dumps(made, ensure_ascii=False, indent=ink.pick([None, 2]))


def mail(ink: Ink) -> str:
    """A letter by e-mail: head, body, a block of contact details."""
    rng, sender = ink.rng, ink.put("name", "header")
    return (
        f"From: {sender} <{ink.put('email', 'header')}>\nTo: {ink.put('email', 'header')}\nSubject: RE: "
        f"case {rng.randint(1000, 99999)}\n"
        f"Date: Wed, 4 Nov 2026 09:{rng.randint(10, 59)}:00 +0000\nMIME-Version: 1.0\n\nHello,\n\n"
        f"I was told to send my details again. Date of birth: {ink.put('date_of_birth', 'prose')}, "
        f"National Insurance number: {ink.put('nino', 'prose')}. You can ring me on {ink.put('phone', 'prose')}. "
        f"My bank is sort code {ink.put('sort_code', 'prose')}, account number {ink.put('account', 'prose')}.\n\n"
        f"Address: {ink.put('address', 'keyed')}, {ink.put('postcode', 'keyed')}\nTel: {ink.put('phone', 'keyed')}\n"
    )


WORK: Final[dict[str, Scene]] = {
    "cluster-secret": cluster_secret,
    "cluster-environment": cluster_environment,
    "build": build_log,
    "bare": bare_in_log,
    "fhir": patient,
    "mail": mail,
}
