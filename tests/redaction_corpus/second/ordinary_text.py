"""Terminals, logs and files in which nothing is anybody's: nothing in them may change."""

from __future__ import annotations

from random import Random
from typing import Final

from tests.redaction_corpus.second import noise
from tests.redaction_corpus.second.credentials import HEX, WORD, some
from tests.redaction_corpus.second.ordinary_aws import Ordinary


def pods(rng: Random) -> str:
    """kubectl get pods -o wide."""
    rows = [f"{'NAME':48}READY   STATUS    RESTARTS        AGE     IP              NODE"]
    for service in rng.sample(noise.SERVICES, 5):
        age = rng.choice(
            (f"{rng.randint(1, 99)}d", f"{rng.randint(1, 23)}h", f"{rng.randint(1, 59)}m{rng.randint(1, 59)}s")
        )
        rows.append(
            f"{noise.pod(rng, service):48}1/1     Running   {rng.randint(0, 400)} ({age} ago)   {age}    "
            f"{noise.inside(rng)}   {noise.node(rng)}"
        )
    return "\n".join(rows)


def described(rng: Random) -> str:
    """kubectl describe."""
    return "\n".join(
        [
            f"Name:             {noise.pod(rng)}",
            f"Node:             {noise.node(rng)}/{noise.inside(rng)}",
            f"Labels:           pod-template-hash={some(rng, 9, HEX)}",
            f"    Container ID:   containerd://{some(rng, 64, HEX)}",
            f"    Image ID:       {noise.ACCOUNT}.dkr.ecr.eu-west-2.amazonaws.com/api@{noise.digest(rng)}",
            "    Port:           8080/TCP",
            f"    Exit Code:      {rng.choice((0, 1, 137, 143))}",
            "    Environment:",
            "      DB_PASSWORD:    <set to the key 'password' in secret 'claims-db'>  Optional: false",
            "      AWS_ROLE_ARN:   arn:aws:iam::111122223333:role/claims-api",
            "      API_TOKEN:      <set to the key 'token' of config map 'names'>",
            "    Mounts:",
            (
                f"      /var/run/secrets/kubernetes.io/serviceaccount from "
                f"kube-api-access-{some(rng, 5, 'bcdfghjklm245')} (ro)"
            ),
            "Events:",
            (
                f"  Warning  BackOff  {rng.randint(1, 59)}m (x{rng.randint(2, 900)} over "
                f"{rng.randint(1, 23)}h)  kubelet  Back-off restarting failed container"
            ),
        ]
    )


def object_yaml(rng: Random) -> str:
    """A deployment as the API has it."""
    return "\n".join(
        [
            "apiVersion: apps/v1",
            "metadata:",
            f'  resourceVersion: "{rng.randint(10**7, 10**10)}"',
            f"  uid: {noise.uuid(rng)}",
            f'  creationTimestamp: "{noise.iso(rng, fraction=False)}"',
            f"  name: {rng.choice(noise.SERVICES)}",
            "spec:",
            "  containers:",
            "  - env:",
            "    - name: PASSWORD",
            "      valueFrom:",
            "        secretKeyRef:",
            "          key: password",
            "          name: claims-db",
            "    - name: PASSPORT_API_URL",
            "      value: http://passport-api.svc.cluster.local:8080",
            f"    image: nginx@{noise.digest(rng)}",
            f"    resources: {{limits: {{cpu: {rng.randint(100, 4000)}m, memory: {rng.randint(64, 8192)}Mi}}}}",
            "  securityContext:",
            f"    runAsUser: {rng.randint(10**9, 10**9 + 10**8)}",
        ]
    )


def service_log(rng: Random) -> str:
    """Lines of a service: times, sizes, ports, identifiers."""
    lines = noise.quiet_lines(rng, rng.randint(3, 7))
    more = [
        (
            f"{noise.head(rng)} offset={rng.randint(10**8, 10**10)} partition={rng.randint(0, 99)} "
            f"lag={rng.randint(0, 10**7)} topic=account-number-changed"
        ),
        f"{noise.head(rng)} password reset flow v{noise.version(rng)} enabled, token ttl 900s",
        f"{noise.head(rng)} GC(88) Pause Young 1024M->312M(2048M) {rng.randint(1, 90)}.{rng.randint(100, 999)}ms",
        f"{noise.head(rng)} user=system action=rotate key=session-signing-{rng.randint(1, 90)} result=ok",
        (
            f"{noise.head(rng)} retry 3/5 in {rng.randint(100, 9999)} ms correlation={noise.uuid(rng)} "
            f"snowflake={rng.randint(10**17, 10**18)}"
        ),
        f"{noise.head(rng)} invalid postcode rejected: field postcode is empty",
        f"{noise.head(rng)} missing header Authorization: bearer token required",
        f"{noise.head(rng)} nino check: 18231 valid, 40 invalid; nhs: {rng.randint(10**5, 10**10)} rows",
        (
            f"{noise.head(rng)} batch {rng.randint(10**9, 10**10)} wrote {rng.randint(10**9, 10**10)} bytes "
            f"at {noise.seconds(rng)}"
        ),
    ]
    lines += rng.sample(more, 4)
    rng.shuffle(lines)
    return "\n".join(lines)


def trace_of_error(rng: Random) -> str:
    """A stack trace in one of three languages."""
    java = (
        f"{noise.stamp(rng)} ERROR java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is "
        f"not available, request timed out after {rng.randint(30000, 30999)}ms.\n"
        f"\tat com.zaxxer.hikari.pool.HikariPool.createTimeoutException(HikariPool.java:{rng.randint(90, 900)})\n"
        f"\tat uk.example.claims.AccountNumberRepository$$SpringCGLIB$${some(rng, 8, HEX)}.find(<generated>)\n"
        f"\tat java.base/java.lang.Thread.run(Thread.java:1583) [na:21.0.{rng.randint(1, 9)}]"
    )
    python = (
        "Traceback (most recent call last):\n"
        f'  File "/var/task/handlers/date_of_birth.py", line {rng.randint(10, 400)}, in parse\n'
        "    return datetime.strptime(value, '%Y-%m-%d')\n"
        f'  File "/opt/python/botocore/client.py", line {rng.randint(500, 1100)}, in _api_call\n'
        "botocore.exceptions.ClientError: An error occurred (AccessDeniedException) when calling the "
        "GetSecretValue operation: "
        f"User: {noise.role(rng)} is not authorized to perform: "
        f"secretsmanager:GetSecretValue"
    )
    go = (
        f"panic: runtime error: index out of range [{rng.randint(5, 90)}] with length 4\n\ngoroutine "
        f"{rng.randint(1, 99999)} [running]:\n"
        f"main.(*CardStore).Get(0xc000{some(rng, 6, HEX)}, {{0x{some(rng, 6, HEX)}, 0x24}})\n\t/src/"
        f"card_number.go:{rng.randint(1, 900)} +0x{some(rng, 3, HEX)}"
    )
    return rng.choice((java, python, go))


def history(rng: Random) -> str:
    """Commits and differences."""
    kinds = (
        "Mask the account number in exports;Bump passport from 0.6.0 to 0.7.0;Read the sort code as "
        "text;Drop the password column"
    ).split(";")
    rows = [f"{some(rng, 40, HEX)} {message} (#{rng.randint(100, 9999)})" for message in kinds]
    rows += [
        f"index {some(rng, 7, HEX)}..{some(rng, 7, HEX)} 100644",
        "--- a/src/phone.py",
        f"@@ -{rng.randint(1, 90)},7 +{rng.randint(1, 90)},9 @@ def phone_number(value: str) -> str:",
    ]
    rows += ["-    password = os.environ['DB_PASSWORD']", "+    password = secret(settings.db_password_arn)"]
    return "\n".join(rows)


def lock_file(rng: Random) -> str:
    """Hashes of packages."""
    rows = [
        (
            f'    "{name}@^{noise.version(rng)}": {{"version": "{noise.version(rng)}", "integrity": '
            f'"sha512-{noise.base64_of(rng, 64)}"}}'
        )
        for name in ("passport", "jsonwebtoken", "card-validator", "left-pad")
    ]
    rows += [
        f"    --hash=sha256:{some(rng, 64, HEX)}",
        f"golang.org/x/net v0.{rng.randint(1, 40)}.0 h1:{noise.base64_of(rng, 32)}",
    ]
    return "\n".join(rows)


def file_list(rng: Random) -> str:
    """ls, df, stat."""
    rows = [
        (
            f"-rw-r--r--  1 app app {rng.randint(0, 10**10):>12} Nov {rng.randint(1, 28):>2} "
            f"10:{rng.randint(10, 59)} {name}"
        )
        for name in ("addresses.parquet", "core.31415926", "phones-20261101.csv.gz", "id_ed25519.pub.bak")
    ]
    rows += [f"/dev/nvme1n1    {rng.randint(10**7, 10**9)} {rng.randint(10**6, 10**8)}  {rng.randint(1, 99)}% /data"]
    rows += [
        f"  Inode: {rng.randint(10**6, 10**8)}    Links: 1",
        f" Birth: 2026-03-{rng.randint(10, 28)} 09:12:44.{rng.randint(10**8, 10**9 - 1)} +0000",
    ]
    return "\n".join(rows)


def query_plan(rng: Random) -> str:
    """A database's plan and its sizes."""
    return "\n".join(
        [
            (
                f"Index Scan using ix_applicants_nino on applicants  (cost=0.56..{rng.randint(2, 9999)}.58 "
                f"rows={rng.randint(1, 10**8)} width={rng.randint(8, 900)})"
            ),
            "  Index Cond: (nino = $1)",
            f"  Buffers: shared hit={rng.randint(1, 10**8)} read={rng.randint(1, 10**8)}",
            f"Planning Time: 0.{rng.randint(100, 999)} ms",
            " table_name    | total_bytes | row_estimate | oid",
            (
                f" phone_numbers | {rng.randint(10**9, 10**10)}  | {rng.randint(10**7, 10**8)}     | "
                f"{rng.randint(16384, 99999)}"
            ),
            (
                f" bank_accounts | {rng.randint(10**9, 10**10)}  | {rng.randint(10**7, 10**8)}     | "
                f"{rng.randint(16384, 99999)}"
            ),
            (
                "CREATE TABLE bank_accounts (sort_code char(6) NOT NULL, account_number char(8), iban "
                "varchar(34), password_hash bytea);"
            ),
            "SELECT count(*) FROM people WHERE date_of_birth IS NULL AND postcode LIKE $2;",
        ]
    )


def flow_log(rng: Random) -> str:
    """Packets between machines, by account and interface."""
    eni = noise.resource(rng, "eni")
    rows = [
        (
            "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end "
            "action log-status"
        )
    ]
    for _ in range(rng.randint(3, 8)):
        start = noise.seconds(rng)
        rows.append(
            f"2 {noise.ACCOUNT} {eni} {noise.inside(rng)} {noise.outside(rng)} {rng.randint(1024, 65535)} "
            f"443 6 {rng.randint(1, 10**8)} {rng.randint(10**5, 10**10)} {start} {start + 60} ACCEPT OK"
        )
    return "\n".join(rows)


def counts_sheet(rng: Random) -> str:
    """A sheet of figures by office."""
    rows = ["office_id,period,claims,calls,phone_minutes,card_payments_pence,address_changes,build"]
    rows += [
        (
            f"{rng.randint(100, 99999)},2026-{rng.randint(1, 12):02},{rng.randint(10**5, 10**10)},"
            f"{rng.randint(10**7, 10**8)},{rng.randint(10**5, 10**6)},{rng.randint(10**8, 10**10)},"
            f"{rng.randint(10**5, 10**8)},{noise.version(rng)}.{rng.randint(1000, 9999)}"
        )
        for _ in range(rng.randint(5, 14))
    ]
    return "\n".join(rows)


def configuration(rng: Random) -> str:
    """Settings that only name secrets."""
    return "\n".join(
        [
            "spring.datasource.password=${DB_PASSWORD}",
            "spring.datasource.url=jdbc:postgresql://db.internal.example.org:5432/claims",
            "stripe.api-key=${STRIPE_API_KEY:?missing}",
            "token.expiry.seconds=3600",
            "password.pattern=^(?=.*[A-Z])(?=.*[0-9]).{14,}$",
            f"build.commit={some(rng, 40, HEX)}",
            f"build.number={rng.randint(10**7, 10**8)}",
            "account.number.length=8",
            "sort.code.cache.ttl=PT15M",
            f"license.id={noise.uuid(rng)}",
            "postcode.service.url=https://postcodes.internal.example.org/v1",
            f"server.port={rng.randint(8000, 9999)}",
            "secret.name=prod/claims/db-credentials",
        ]
    )


def page_of_help(rng: Random) -> str:
    """Guidance in which kinds are named and none is given."""
    told = [
        "A National Insurance number has two letters, six numbers and a final letter.",
        "Enter your sort code and account number. The account number must be 8 digits long.",
        "Do not send your password, bank details or date of birth in a ticket.",
        "Use the aws-vault tool rather than an access key; never set AWS_SECRET_ACCESS_KEY by hand.",
        "Set the header Authorization: Bearer <token>, where <token> comes from the sign-in service.",
        f"Since release {noise.version(rng)} the postcode is optional, and the phone number may have spaces.",
        "Passport renewals took 18 days on average; driving licence renewals took 6.",
        "The NHS number is checked against the register, up to 2500000000 times a year.",
        "The vehicle service runs on EC2 in 3 zones and on Lambda in eu-west-2.",
        f"The limit was raised on {rng.randint(1, 28)} October 2026 from 10000000 to 12500000 rows.",
    ]
    return "\n".join(rng.sample(told, 6))


def deployment(rng: Random) -> str:
    """sam, terraform and helm at work."""
    return "\n".join(
        [
            f"aws_db_instance.claims: Modifying... [id=db-{some(rng, 26, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}]",
            "  ~ password = (sensitive value)",
            f"File with same data already exists at claims-prod/{some(rng, 32, HEX)}, skipping upload",
            f"CREATE_COMPLETE          AWS::Lambda::Permission  AccountNumberApiPermission{some(rng, 4, WORD)}",
            (
                f"Key                 UserPoolClientId\nValue               "
                f"{some(rng, 26, 'abcdefghijklmnopqrstuvwxyz0123456789')}"
            ),
            (
                f"Key                 ApiUrl\nValue               https://"
                f"{some(rng, 10, 'abcdefghijklmnopqrstuvwxyz0123456789')}.execute-api.eu-west-2.amazonaws.com/Prod/"
            ),
            f"Revision: {rng.randint(1, 400)}  Chart: claims-{noise.version(rng)}  App: {noise.version(rng)}",
            (
                f"Waiter StackUpdateComplete: {rng.randint(10, 900)}s, changeset "
                f"arn:aws:cloudformation:eu-west-2:{noise.ACCOUNT}:changeSet/samcli-deploy{noise.seconds(rng)}/{noise.uuid(rng)}"
            ),
        ]
    )


TEXT: Final[dict[str, Ordinary]] = {
    "pods": pods,
    "described": described,
    "object": object_yaml,
    "service": service_log,
    "error": trace_of_error,
    "history": history,
    "lock": lock_file,
    "files": file_list,
    "plan": query_plan,
    "flow": flow_log,
    "counts": counts_sheet,
    "settings": configuration,
    "help": page_of_help,
    "deployment": deployment,
}
