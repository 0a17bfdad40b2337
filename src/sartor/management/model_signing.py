"""Signs models with the key of the instance and checks signatures (contract, section 3.5).

The signature is RSA PKCS#1 v1.5 with SHA-512 over the file of the model, checked against the certificate in the
zip. That proves that the model was not changed since it was signed. Who signed it is another matter: a
fingerprint can't be forged, a common name can. The validity period is not checked: the certificates of the
retired service expire, its models do not.
"""

import hashlib
import secrets
from datetime import UTC, datetime
from typing import Protocol

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature as WrongSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID
from msgspec import Struct

from sartor.errors import Corrupt, InvalidSignature
from sartor.management.model_archive import ModelArchive
from sartor.ports import Stores

_KEY_BITS = 2048
_MOST_KEY_BITS = 8192
_NO_END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


class SignedModel(Protocol):
    """A model with its signature, packed or not; ``digest`` is SHA-512 of the model."""

    @property
    def certificate(self) -> bytes:
        """The certificate of the signer in DER; empty without one."""

    @property
    def signature(self) -> bytes:
        """The signature; empty without one."""

    def digest(self) -> bytes:
        """SHA-512 of the model."""


class Signer(Struct, frozen=True):
    """The instance's own key and certificate, both in DER."""

    key: bytes
    certificate: bytes

    def sign(self, model: bytes, /) -> ModelArchive:
        """Returns the model with the signature and the certificate of this instance."""
        key = load_der_private_key(self.key, None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise Corrupt("The key that signs models is no RSA key.")
        return ModelArchive(
            model=model, certificate=self.certificate, signature=key.sign(model, padding.PKCS1v15(), SHA512())
        )


class TrustedSigners(Struct, frozen=True, kw_only=True):
    """Whose models are accepted. ``own``: our own certificate; ``others``: see ``trustedModelSigners``."""

    own: bytes
    others: str
    unsigned: bool

    def check(self, archive: SignedModel, /) -> None:
        """Check that an archive is signed by an accepted signer, and then that it is intact.

        Raises:
            InvalidSignature: it is not; the message names the signer and the setting that would accept it.
        """
        if not archive.certificate and not archive.signature:
            if not self.unsigned:
                raise InvalidSignature(
                    "The model is not signed; the setting allowUnsignedModels accepts such models."
                )
            return
        signer = _read_certificate(archive.certificate)
        if not self.unsigned and not self._accepts(signer):
            raise InvalidSignature(
                f"The model is signed by {signer.name!r}, which is not accepted. "
                f"To accept it, add its fingerprint to the setting trustedModelSigners: {signer.fingerprint}."
            )
        _verify(archive, signer.key)

    def _accepts(self, signer: "_Certificate") -> bool:
        accepted = {entry.strip().lower() for entry in self.others.split(",")} - {""}
        names = {signer.fingerprint, signer.name.lower()}
        return signer.der == self.own or bool({name.replace(":", "") for name in accepted} & names)


class _Certificate(Struct, frozen=True, kw_only=True):
    """What a certificate says: itself in DER, its key, its common name, its fingerprint."""

    der: bytes
    key: rsa.RSAPublicKey
    name: str
    fingerprint: str


def open_signer(stores: Stores, /) -> Signer:
    """Returns the instance's signer, created at first use.

    Raises:
        Corrupt: its key can't be opened.
        StoreUnavailable: it can't be read or created.
    """
    return msgspec.msgpack.decode(stores.secret("model-signer", _create_signer), type=Signer)


def certificate_fingerprint(certificate: bytes, /) -> str:
    """SHA-256 of a certificate in DER, as 64 hexadecimal digits."""
    return hashlib.sha256(certificate).hexdigest()


def _create_signer() -> bytes:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=_KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"sartor-{secrets.token_hex(8)}")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(_NO_END)
        .sign(key, SHA512())
    )
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return msgspec.msgpack.encode(Signer(der, certificate.public_bytes(Encoding.DER)))


def _read_certificate(content: bytes) -> _Certificate:
    try:
        certificate = x509.load_der_x509_certificate(content)
        key = certificate.public_key()
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        der = certificate.public_bytes(Encoding.DER)
    except Exception as error:  # a crafted certificate may raise anything
        raise InvalidSignature("The certificate in the zip can't be read.") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise InvalidSignature("The certificate in the zip holds no RSA key.")
    if key.key_size > _MOST_KEY_BITS:
        raise InvalidSignature(f"The certificate in the zip holds a key of more than {_MOST_KEY_BITS} bits.")
    name = str(names[0].value) if names else ""
    return _Certificate(der=der, key=key, name=name, fingerprint=certificate_fingerprint(der))


def _verify(archive: SignedModel, key: rsa.RSAPublicKey) -> None:
    try:
        key.verify(archive.signature, archive.digest(), padding.PKCS1v15(), Prehashed(SHA512()))
    except WrongSignature as error:
        raise InvalidSignature("The signature does not fit the model: one of them was changed.") from error
