"""The assembly's KMS keys that sign. moto hashes a digest once more before it signs, so signing is done here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from ringfence.deployed.assembly import Assembly, UnresolvedTemplate
from ringfence.deployed.properties import Properties
from ringfence.rehearsal.aws.protocol.wire import AwsError

_CURVES = {"ECC_NIST_P256": (ec.SECP256R1, "ECDSA_SHA_256", hashes.SHA256)}


class SigningKeys:
    """Every KMS key of the assembly; those with an elliptic-curve key spec get a private key made for this run.

    Raises:
        UnresolvedTemplate: a key has a spec this rehearsal cannot sign with.
    """

    def __init__(self, assembly: Assembly) -> None:
        self._arns: dict[str, str] = {}
        self._private: dict[str, ec.EllipticCurvePrivateKey] = {}
        self._specs: dict[str, str] = {}
        self._disabled: set[str] = set()
        self._aliases: dict[str, str] = {}
        for resource in assembly.of_type("AWS::KMS::Key"):
            arn = resource.arn
            self._arns |= {arn: arn, str(resource.ref): arn}
            self._specs[arn] = spec = Properties(resource).text("KeySpec", "SYMMETRIC_DEFAULT")
            if spec in _CURVES:
                self._private[arn] = ec.generate_private_key(_CURVES[spec][0]())
            elif spec != "SYMMETRIC_DEFAULT":
                raise UnresolvedTemplate(resource.stack, resource.logical_id, f"key spec {spec} cannot be rehearsed")
        for alias in assembly.of_type("AWS::KMS::Alias"):
            target = self._arns.get(Properties(alias).text("TargetKeyId"))
            if target is not None:
                name = str(alias.ref)
                self._arns |= {name: target, f"{target.rsplit(':', 1)[0]}:{name}": target}
                self._aliases[name] = target

    def arn_of(self, key_id: str) -> str:
        """The ARN behind a key id, ARN or alias.

        Raises:
            AwsError: there is no such key.
        """
        if key_id not in self._arns:
            raise AwsError("NotFoundException", f"Key '{key_id}' does not exist")
        return self._arns[key_id]

    def public_key(self, key_id: str) -> bytes:
        """The public key as DER.

        Raises:
            AwsError: the key does not exist or does not sign.
        """
        public = self._signing(key_id).public_key()
        return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def _signing(self, key_id: str) -> ec.EllipticCurvePrivateKey:
        arn = self.arn_of(key_id)
        if arn not in self._private:
            raise AwsError("InvalidKeyUsageException", f"{arn} key usage is ENCRYPT_DECRYPT which is not valid.")
        return self._private[arn]

    def sign(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """`kms:Sign`."""
        private = self._signing(str(parameters["KeyId"]))
        if self.arn_of(str(parameters["KeyId"])) in self._disabled:
            raise AwsError("DisabledException", f"{self.arn_of(str(parameters['KeyId']))} is disabled.")
        algorithm = _checked(parameters)
        digest = _digest(parameters)
        signature = private.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
        return {"KeyId": self.arn_of(str(parameters["KeyId"])), "Signature": signature, "SigningAlgorithm": algorithm}

    def disable(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """`kms:DisableKey`."""
        self._disabled.add(self.arn_of(_key_not_alias(parameters)))
        return {}

    def enable(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """`kms:EnableKey`."""
        self._disabled.discard(self.arn_of(_key_not_alias(parameters)))
        return {}

    def list_aliases(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """`kms:ListAliases`: those of the assembly, which is all there is."""
        listed = [
            {"AliasName": name, "AliasArn": f"{target.rsplit(':', 1)[0]}:{name}", "TargetKeyId": target.split("/")[-1]}
            for name, target in sorted(self._aliases.items())
        ]
        return {"Aliases": listed, "Truncated": False}

    def aliases_of(self, arn: str) -> list[str]:
        """The aliases of a key, for the condition key `kms:ResourceAliases`."""
        return sorted(name for name, target in self._aliases.items() if target == arn)

    def verify(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """`kms:Verify`."""
        private = self._signing(str(parameters["KeyId"]))
        algorithm = _checked(parameters)
        try:
            private.public_key().verify(
                parameters["Signature"], _digest(parameters), ec.ECDSA(Prehashed(hashes.SHA256()))
            )
        except InvalidSignature:
            raise AwsError("KMSInvalidSignatureException", "The signature is not valid.") from None
        key_id = self.arn_of(str(parameters["KeyId"]))
        return {"KeyId": key_id, "SignatureValid": True, "SigningAlgorithm": algorithm}

    def get_public_key(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """`kms:GetPublicKey`."""
        key_id = str(parameters["KeyId"])
        spec = self._specs[self.arn_of(key_id)]
        return {
            "KeyId": self.arn_of(key_id),
            "PublicKey": self.public_key(key_id),
            "KeySpec": spec,
            "CustomerMasterKeySpec": spec,
            "KeyUsage": "SIGN_VERIFY",
            "SigningAlgorithms": [_CURVES[spec][1]],
        }


def _key_not_alias(parameters: Mapping[str, Any]) -> str:
    """These operations take a key's id or ARN, not an alias (KMS API reference)."""
    key_id = str(parameters["KeyId"])
    if "alias/" in key_id:
        raise AwsError("NotFoundException", f"Invalid keyId {key_id}")
    return key_id


def _checked(parameters: Mapping[str, Any]) -> str:
    algorithm = str(parameters.get("SigningAlgorithm"))
    if algorithm not in {algorithm for _, algorithm, _ in _CURVES.values()}:
        raise AwsError("ValidationException", f"Algorithm {algorithm} is incompatible with the key spec.")
    return algorithm


def _digest(parameters: Mapping[str, Any]) -> bytes:
    message = bytes(parameters["Message"])
    if parameters.get("MessageType", "RAW") != "DIGEST":
        return hashlib.sha256(message).digest()
    if len(message) != 32:
        raise AwsError("ValidationException", "Digest is invalid length for algorithm ECDSA_SHA_256.")
    return message
