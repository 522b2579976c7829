"""The key that signs a persona's Txn-Tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_kms as kms

from constructs import Construct
from constructs.review_notes import serves

TXN_TOKEN_HEADER: Final = "X-Amzn-Bedrock-AgentCore-Runtime-Custom-Txn-Token"  # noqa: S105 - a name
"""The header that carries the Txn-Token; AgentCore forwards no other `x-amzn-` header (DG runtime-header-allowlist)."""

ADMINISTRATION: Final = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
"""What the account may do through IAM: look after the key. Neither sign with it, nor hand out grants that could, nor
switch it off or on."""

SWITCHING: Final = ("kms:DescribeKey", "kms:DisableKey", "kms:EnableKey")
"""What security may do: stop every new call of the persona, and let them begin again."""


class TxnTokenKey(Construct):
    """A P-256 key with which the request interceptor, and nothing else in the account, can sign.

    The key policy keeps use of the key out of what it delegates to IAM: an administrator with `kms:*` cannot sign. The
    explicit denial beside it holds even if a later statement were to allow too much.
    """

    def __init__(self, scope: Construct, construct_id: str, *, alias: str, purpose: str, number: int = 1) -> None:
        """Makes the key; until `admit` is called nobody can use it.

        Args:
            alias: the alias, `alias/…`.
            number: which key in a row this is; another number is another key, and the alias moves to it.
        """
        super().__init__(scope, construct_id)
        self.key = kms.CfnKey(
            self,
            "Key" if number == 1 else f"Key{number}",
            description=purpose,
            key_spec="ECC_NIST_P256",
            key_usage="SIGN_VERIFY",
            key_policy=self._policy(),
            # Tokens live for a minute, so nothing is lost with the key; the wait only guards against a slip.
            pending_window_in_days=7,
        )
        kms.CfnAlias(self, "Alias", alias_name=alias, target_key_id=self.key.ref)
        serves(self.key, "Call integrity: only the request interceptor can vouch for a call.")

    @property
    def arn(self) -> str:
        """The key's ARN, as a reference."""
        return self.key.attr_arn

    def admit(self, *, signer: str, verifiers: Sequence[str], switched_by: str | None) -> None:
        """Says who may use the key; everybody else is denied.

        Called once signer and verifiers exist: their own policies name the key, and the key's policy their ARNs.

        Args:
            signer: ARN of the request interceptor's role.
            verifiers: ARNs of the runtimes' roles.
            switched_by: ARN of the role that may disable and enable the key, if its own policy lets it, or None where
                whom the account lets may.
        """
        # A role named as principal must be visible to KMS when the key is made, moments after IAM made it (KMS API
        # reference, CreateKey: Policy; CloudFormation's handler does not try again), and is stored by its id: one of
        # that name, made again, would hold nothing, and nobody would notice before it is needed (IAM user guide, "AWS
        # JSON policy elements: Principal"). So the account is named, under a condition on a role's name and path, which
        # its sessions have too (IAM Identity Center user guide, "Baseline KMS key and IAM policy statements"; all read
        # 28 November 2026). The role's own policy must then allow the use as well.
        self.key.key_policy = self._policy(
            self._use("AllowSwitchOffRole", SWITCHING, _arn_equals(switched_by) if switched_by else {}),
            self._use(
                "AllowSignByRequestInterceptor",
                ["kms:Sign"],
                {**_arn_equals(signer), "StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_256"}},
            ),
            self._use("AllowGetPublicKeyByRuntimes", ["kms:GetPublicKey"], _arn_equals(list(verifiers))),
            {
                "Sid": "DenySignExceptRequestInterceptor",
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Action": "kms:Sign",
                "Resource": "*",
                "Condition": {"ArnNotEquals": {"aws:PrincipalArn": signer}},
            },
        )

    def _policy(self, *uses: Mapping[str, object]) -> dict[str, object]:
        return {"Version": "2012-10-17", "Statement": [self._use("AllowAccountToAdminister", ADMINISTRATION), *uses]}

    def _use(
        self, sid: str, actions: Sequence[str], condition: Mapping[str, object] | None = None
    ) -> dict[str, object]:
        return {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{cdk.Stack.of(self).account}:root"},
            "Action": actions[0] if len(actions) == 1 else list(actions),
            "Resource": "*",
            **({"Condition": condition} if condition else {}),
        }


def _arn_equals(arns: str | list[str]) -> dict[str, object]:
    return {"ArnEquals": {"aws:PrincipalArn": arns}}
