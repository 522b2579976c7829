"""The two functions between a caller and the tools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from constructs import Construct
from constructs.gateway.gateway_role import InterceptorPair
from constructs.isolated_function import Code, FunctionPlacement, IsolatedFunction
from constructs.runtime.txn_token_key import TxnTokenKey
from ringfence.assets.zips import function_zip


@dataclass(frozen=True)
class Callers:
    """Whose calls the request interceptor vouches for; it checks again what the gateway has checked."""

    issuer: str
    client_ids: Sequence[str]


class Interceptors(Construct):
    """The request interceptor, which alone can sign Txn-Tokens, and the response interceptor, which redacts.

    Both carry the persona's compiled rules in their zip, so that rules and code change together or not at all.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        persona: str,
        rules: bytes,
        callers: Callers,
        token_key: TxnTokenKey,
        placement: FunctionPlacement,
    ) -> None:
        """Makes the functions.

        Args:
            rules: `rules.json`.
        """
        super().__init__(scope, construct_id)
        files = {"rules.json": rules}
        self.request = IsolatedFunction(
            self,
            "Request",
            name=f"{persona}-request",
            purpose=f"Checks every request of the persona {persona}, records it and signs its Txn-Token.",
            code=Code(
                asset=function_zip("request_interceptor", files=files),
                handler="request_interceptor.handler.handler",
                environment={
                    "POWERTOOLS_SERVICE_NAME": f"ringfence-{persona}-request",
                    "TXN_KEY_ID": token_key.arn,
                    "CLIENT_IDS": ",".join(callers.client_ids),
                    "ISSUER": callers.issuer,
                },
            ),
            placement=placement,
            statements=[
                {
                    "Sid": "SignTxnTokens",
                    "Effect": "Allow",
                    "Action": ["kms:Sign"],
                    "Resource": [token_key.arn],
                    "Condition": {"StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_256"}},
                }
            ],
        )
        self.response = IsolatedFunction(
            self,
            "Response",
            name=f"{persona}-response",
            purpose=f"Redacts every answer to the persona {persona}, holds tool lists to the lock and records it.",
            code=Code(
                asset=function_zip("response_interceptor", files=files),
                handler="response_interceptor.handler.handler",
                environment={"POWERTOOLS_SERVICE_NAME": f"ringfence-{persona}-response"},
                # An answer of a megabyte takes longer to read through than a request.
                timeout_seconds=10,
                memory_mb=1024,
            ),
            placement=placement,
        )

    @property
    def pair(self) -> InterceptorPair:
        """The functions as the gateway names them."""
        return InterceptorPair(request_arn=self.request.function.attr_arn, response_arn=self.response.function.attr_arn)
