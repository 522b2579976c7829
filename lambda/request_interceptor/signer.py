"""Signs transaction tokens with the department's KMS key."""

from __future__ import annotations

from typing import Any

from callpath.refusal import Refusal
from callpath.txn_token import TxnToken, mint

SWITCHED_OFF = "This persona is switched off by your department's security: ask them before you try again"


class Signer:
    """Signs with one asymmetric KMS key (ECC_NIST_P256), named by its ARN; the private key never leaves KMS.

    botocore takes 0.6 s to import, so the client is made at the first signature, or by `prepare` while Lambda starts
    the function, when there is processor time to spare.
    """

    def __init__(self, *, key_id: str) -> None:
        self._key_id = key_id
        self._client: Any = None

    def prepare(self) -> None:
        """Make the client now."""
        if self._client is None:
            import botocore.config
            import botocore.session

            # The gateway waits for this function: fail in seconds, not in botocore's two minutes.
            config = botocore.config.Config(
                connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 3}
            )
            region = self._key_id.split(":")[3]  # the key's own, whatever the environment says
            self._client = botocore.session.get_session().create_client("kms", region_name=region, config=config)

    def mint(self, token: TxnToken) -> str:
        """Return the token, signed."""
        return mint(token, key_id=self._key_id, sign=self._sign)

    def _sign(self, digest: bytes) -> bytes:
        self.prepare()
        try:
            signed = self._client.sign(
                KeyId=self._key_id, Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
            )
        except self._client.exceptions.DisabledException:
            raise Refusal("request", "switched-off", SWITCHED_OFF) from None
        signature: bytes = signed["Signature"]
        return signature
