"""Answers of AWS in which nothing is anybody's: nothing in them may change."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Final

from tests.redaction_corpus.second import noise
from tests.redaction_corpus.second.credentials import HEX, WORD, some

Ordinary = Callable[[Random], str]
_AZ: Final = ("eu-west-2a", "eu-west-2b", "eu-west-2c")


def _json(rng: Random, value: object) -> str:
    return json.dumps(value, indent=rng.choice((None, 2, 4)))


def _arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{noise.REGION}:{noise.ACCOUNT}:{name}"


def trail(rng: Random) -> str:
    """A read-only event with response elements."""
    service = rng.choice(noise.SERVICES)
    return _json(
        rng,
        {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": noise.principal(rng),
                "arn": noise.role(rng),
                "accountId": noise.ACCOUNT,
                "sessionContext": {
                    "sessionIssuer": {"type": "Role", "userName": f"{service}-role", "accountId": noise.ACCOUNT},
                    "attributes": {"creationDate": noise.iso(rng, fraction=False), "mfaAuthenticated": "false"},
                },
            },
            "eventTime": noise.iso(rng, fraction=False),
            "eventSource": "secretsmanager.amazonaws.com",
            "eventName": "GetSecretValue",
            "sourceIPAddress": noise.outside(rng),
            "requestParameters": {"secretId": f"prod/{service}/db-password", "versionStage": "AWSCURRENT"},
            "additionalEventData": {
                "bytesTransferredIn": rng.randint(0, 10**10),
                "x-amz-id-2": noise.base64_of(rng, 56),
            },
            "requestID": noise.uuid(rng),
            "eventID": noise.uuid(rng),
            "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"},
        },
    )


def instances(rng: Random) -> str:
    """Instances and their networks."""
    return _json(
        rng,
        {
            "InstanceId": noise.resource(rng, "i"),
            "ImageId": noise.resource(rng, "ami"),
            "InstanceType": rng.choice(("m7g.2xlarge", "c6i.large", "r5b.24xlarge", "t4g.micro")),
            "LaunchTime": noise.iso(rng, fraction=False),
            "PrivateDnsName": noise.node(rng),
            "PrivateIpAddress": noise.inside(rng),
            "PublicIpAddress": noise.outside(rng),
            "Placement": {"AvailabilityZone": rng.choice(_AZ), "Tenancy": "default"},
            "KeyName": "bastion-2026",
            "NetworkInterfaces": [
                {
                    "MacAddress": ":".join(some(rng, 2, HEX) for _ in range(6)),
                    "NetworkInterfaceId": noise.resource(rng, "eni"),
                    "OwnerId": noise.ACCOUNT,
                    "Ipv6Addresses": [
                        {"Ipv6Address": f"2001:db8:{some(rng, 4, HEX)}:{some(rng, 4, HEX)}::{some(rng, 2, HEX)}"}
                    ],
                }
            ],
            "ReservationId": noise.resource(rng, "r"),
            "ClientToken": noise.uuid(rng),
            "Tags": [
                {"Key": "aws:cloudformation:stack-id", "Value": _arn("cloudformation", f"stack/net/{noise.uuid(rng)}")}
            ],
        },
    )


def objects(rng: Random) -> str:
    """Objects of a bucket."""
    rows = [
        {
            "Key": (
                f"year=2026/month={rng.randint(1, 12):02}/"
                f"part-{rng.randint(0, 99999):05}-{noise.uuid(rng)}.c000.snappy.parquet"
            ),
            "LastModified": noise.iso(rng),
            "ETag": f'"{some(rng, 32, HEX)}-{rng.randint(1, 90)}"',
            "Size": rng.randint(0, 10**11),
            "VersionId": noise.object_version(rng),
            "ChecksumSHA256": noise.base64_of(rng, 32),
            "StorageClass": "STANDARD",
        }
        for _ in range(rng.randint(2, 6))
    ]
    answer = {
        "Name": f"logs-{noise.ACCOUNT}",
        "KeyCount": len(rows),
        "Contents": rows,
        "NextContinuationToken": noise.base64_of(rng, 60),
    }
    return _json(rng, answer)


def metrics(rng: Random) -> str:
    """Figures of CloudWatch."""
    times = [noise.iso(rng, fraction=False) for _ in range(6)]
    values = [rng.choice((rng.uniform(0, 1), float(rng.randint(10**8, 10**10)), rng.uniform(1e3, 1e9))) for _ in times]
    result = {
        "Id": "m1",
        "Label": "BytesOutToDestination",
        "Timestamps": times,
        "Values": values,
        "StatusCode": "Complete",
    }
    counts = {
        "Sum": rng.randint(10**9, 10**10),
        "SampleCount": rng.randint(10**7, 10**8),
        "Maximum": rng.randint(10**15, 10**16),
    }
    return _json(rng, {"MetricDataResults": [result], "Datapoints": [counts], "NextToken": noise.base64_of(rng, 90)})


def functions(rng: Random) -> str:
    """A function's configuration without a secret."""
    name = rng.choice(noise.SERVICES)
    variables = {
        "DB_PASSWORD_SECRET_ARN": _arn("secretsmanager", f"secret:prod/{name}-{some(rng, 6)}"),
        "TOKEN_TTL_SECONDS": str(rng.randint(60, 86400)),
        "PASSWORD_MIN_LENGTH": "14",
        "SORT_CODE_CACHE_SIZE": str(rng.randint(100000, 999999)),
        "API_KEY_PARAMETER": f"/prod/{name}/api-key",
        "PHONE_HOME": "false",
    }
    about = {
        "FunctionName": name,
        "FunctionArn": _arn("lambda", f"function:{name}:{rng.randint(1, 400)}"),
        "CodeSha256": noise.base64_of(rng, 32),
        "CodeSize": rng.randint(10**5, 10**8),
        "LastModified": noise.iso(rng).replace("Z", "+0000"),
        "Environment": {"Variables": variables},
        "RevisionId": noise.uuid(rng),
        "Layers": [{"Arn": _arn("lambda", f"layer:base:{rng.randint(1, 99)}"), "CodeSize": rng.randint(10**6, 10**8)}],
        "SnapStart": {"ApplyOn": "None"},
        "SigningJobArn": _arn("signer", f"/signing-jobs/{noise.uuid(rng)}"),
    }
    return _json(rng, about)


def images(rng: Random) -> str:
    """Images of a repository."""
    rows = [
        {
            "registryId": noise.ACCOUNT,
            "repositoryName": rng.choice(noise.SERVICES),
            "imageDigest": noise.digest(rng),
            "imageTags": [
                some(rng, 40, HEX),
                f"v{noise.version(rng)}",
                f"2026{rng.randint(10, 12)}{rng.randint(10, 28)}.{rng.randint(1, 9)}",
            ],
            "imageSizeInBytes": rng.randint(10**7, 10**10),
            "imagePushedAt": noise.seconds(rng) + rng.randint(0, 999) / 1000,
        }
        for _ in range(2)
    ]
    return _json(rng, {"imageDetails": rows})


def tables(rng: Random) -> str:
    """The description of a table with a sort key."""
    about = {
        "TableName": rng.choice(("account-links", "vehicle-tax", "passport-queue", "postcode-cache")),
        "TableStatus": "ACTIVE",
        "KeySchema": [
            {"AttributeName": "nhsNumber", "KeyType": "HASH"},
            {"AttributeName": "sortCode", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": "nhsNumber", "AttributeType": "S"},
            {"AttributeName": "sortCode", "AttributeType": "N"},
        ],
        "ItemCount": rng.randint(10**7, 10**10),
        "TableSizeBytes": rng.randint(10**9, 10**12),
        "CreationDateTime": noise.seconds(rng) + 0.123,
        "TableId": noise.uuid(rng),
        "LatestStreamLabel": noise.iso(rng)[:-1],
        "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": rng.randint(0, 40000)},
    }
    return _json(rng, {"Table": about})


def streams(rng: Random) -> str:
    """Log groups and streams, with epoch milliseconds."""
    rows = [
        {
            "logStreamName": noise.stream(rng),
            "creationTime": noise.millis(rng),
            "firstEventTimestamp": noise.millis(rng),
            "lastIngestionTime": noise.millis(rng),
            "uploadSequenceToken": some(rng, 56, "0123456789"),
            "arn": _arn("logs", f"log-group:/aws/lambda/{rng.choice(noise.SERVICES)}:log-stream:x"),
            "storedBytes": rng.randint(0, 10**10),
        }
        for _ in range(3)
    ]
    return _json(rng, {"logStreams": rows, "nextToken": noise.base64_of(rng, 150)})


def stacks(rng: Random) -> str:
    """Events of a stack."""
    rows = []
    for name in rng.sample(
        ["AccountTable", "PasswordPolicy", "UserPoolClient", "TokenSigningKey", "PhoneQueue", "PostcodeApi"], 3
    ):
        stack = _arn("cloudformation", f"stack/claims-prod/{noise.uuid(rng)}")
        row = {"StackId": stack, "EventId": f"{name}-CREATE_COMPLETE-{noise.iso(rng)}", "LogicalResourceId": name}
        row |= {"PhysicalResourceId": f"claims-prod-{name}-{some(rng, 13, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')}"}
        row |= {
            "ResourceProperties": json.dumps(
                {"MasterUserPassword": "{{resolve:secretsmanager:prod/db:SecretString:password}}"}
            )
        }
        rows.append(row)
    return _json(rng, {"StackEvents": rows})


def insights(rng: Random) -> str:
    """Rows of Logs Insights that count."""
    rows = []
    for _ in range(rng.randint(2, 6)):
        row = {
            "bin(5m)": noise.stamp(rng),
            "count(*)": str(rng.randint(10**5, 10**10)),
            "pct(@duration, 99)": f"{rng.uniform(1, 9000):.4f}",
        }
        row |= {
            "@requestId": noise.uuid(rng),
            "sum(bytes)": str(rng.randint(10**8, 10**17)),
            "@ptr": noise.base64_of(rng, 66),
        }
        rows.append([{"field": name, "value": value} for name, value in row.items()])
    statistics = {
        "bytesScanned": float(rng.randint(10**9, 10**12)),
        "recordsScanned": float(rng.randint(10**7, 10**10)),
    }
    return _json(rng, {"results": rows, "statistics": statistics, "status": "Complete", "queryId": noise.uuid(rng)})


def policies(rng: Random) -> str:
    """Identity settings: names that sound like secrets, and no secret."""
    client = some(rng, 26, "abcdefghijklmnopqrstuvwxyz0123456789")
    return _json(
        rng,
        {
            "PasswordPolicy": {
                "MinimumPasswordLength": rng.randint(8, 64),
                "RequireSymbols": True,
                "MaxPasswordAge": 365,
                "PasswordReusePrevention": 24,
            },
            "UserPoolClient": {
                "ClientId": client,
                "GenerateSecret": False,
                "AccessTokenValidity": 60,
                "TokenValidityUnits": {"AccessToken": "minutes"},
            },
            "SecretList": [
                {
                    "ARN": _arn("secretsmanager", f"secret:stripe-api-key-{some(rng, 6)}"),
                    "SecretVersionsToStages": {noise.uuid(rng): ["AWSCURRENT"]},
                }
            ],
            "AccountSummary": {
                "Users": rng.randint(1, 900),
                "AccessKeysPerUserQuota": 2,
                "AccountMFAEnabled": 1,
                "AccountPasswordPresent": 0,
            },
            "RoleId": f"AROA{some(rng, 17, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}",
            "KeyMetadata": {
                "KeyId": noise.uuid(rng),
                "Arn": _arn("kms", f"key/{noise.uuid(rng)}"),
                "KeySpec": "SYMMETRIC_DEFAULT",
            },
        },
    )


def costs(rng: Random) -> str:
    """A bill by account and service."""
    groups = [
        {
            "Keys": [account, service],
            "Metrics": {
                "UnblendedCost": {"Amount": f"{rng.uniform(0, 90000):.10f}", "Unit": "USD"},
                "UsageQuantity": {"Amount": f"{rng.randint(10**7, 10**10)}", "Unit": "N/A"},
            },
        }
        for account, service in ((noise.ACCOUNT, "Amazon EC2"), (noise.ACCOUNT, "Amazon Relational Database Service"))
    ]
    return _json(
        rng,
        {
            "ResultsByTime": [
                {"TimePeriod": {"Start": "2026-10-01", "End": "2026-11-01"}, "Groups": groups, "Estimated": False}
            ]
        },
    )


def targets(rng: Random) -> str:
    """Load balancers, certificates and records of names."""
    alb = some(rng, 16, HEX)
    return _json(
        rng,
        {
            "LoadBalancerArn": (
                f"arn:aws:elasticloadbalancing:eu-west-2:{noise.ACCOUNT}:loadbalancer/app/public-alb/{alb}"
            ),
            "DNSName": f"public-alb-{rng.randint(10**8, 10**10)}.eu-west-2.elb.amazonaws.com",
            "CanonicalHostedZoneId": "Z" + some(rng, 13, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
            "Certificate": {
                "Serial": ":".join(some(rng, 2, HEX) for _ in range(16)),
                "NotAfter": noise.iso(rng, fraction=False),
                "KeyAlgorithm": "EC-prime256v1",
            },
            "TargetHealth": [
                {"Target": {"Id": noise.resource(rng, "i"), "Port": rng.randint(1024, 65000)}, "State": "healthy"}
            ],
            "ResourceRecords": [
                {"Value": f'"v=spf1 ip4:{noise.outside(rng)} -all"'},
                {"Value": f"_{some(rng, 32, HEX)}.acm-validations.aws."},
            ],
        },
    )


def trace(rng: Random) -> str:
    """Segments of a trace, and a workflow's execution."""
    segment = {
        "id": some(rng, 16, HEX),
        "start_time": noise.seconds(rng) + rng.random(),
        "trace_id": noise.trace(rng),
        "http": {"response": {"status": 200, "content_length": rng.randint(0, 10**9)}},
    }
    about = {
        "executionArn": _arn("states", f"execution:claims:{noise.uuid(rng)}"),
        "startDate": noise.seconds(rng) + 0.5,
        "traceHeader": f"Root={noise.trace(rng)};Sampled=1",
    }
    shard = {
        "ShardId": f"shardId-{rng.randint(0, 99):012}",
        "SequenceNumber": some(rng, 56, "123456789"),
        "HashKeyRange": {"StartingHashKey": str(rng.randint(10**37, 10**38))},
    }
    return _json(
        rng,
        {
            "Segments": [{"Document": json.dumps(segment)}],
            "Execution": about,
            "Shard": shard,
            "MD5": some(rng, 32, HEX),
            "Id": some(rng, 22, WORD),
        },
    )


AWS: Final[dict[str, Ordinary]] = {
    "trail": trail,
    "instances": instances,
    "objects": objects,
    "metrics": metrics,
    "functions": functions,
    "images": images,
    "tables": tables,
    "streams": streams,
    "stacks": stacks,
    "insights": insights,
    "policies": policies,
    "costs": costs,
    "targets": targets,
    "trace": trace,
}
