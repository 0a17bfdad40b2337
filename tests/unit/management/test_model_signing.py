"""The signed zip of a model, checked by other means than those that made it."""

import io
import zipfile
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature as WrongSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA512, Hash
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sartor.errors import InvalidModel, InvalidSignature
from sartor.management.model_archive import MODEL_BYTES, ModelArchive, open_archive, pack_archive
from sartor.management.model_sandbox import convert_parts
from sartor.management.model_signing import Signer, TrustedSigners, certificate_fingerprint, open_signer
from sartor.settings import VW_ARGUMENTS
from sartor.testing.stores import MemoryStores

MICROSOFT = "ame.personalizer.azure.com"
MODEL = b"the bytes of a model " * 50


@pytest.fixture(scope="module")
def ours() -> Signer:
    return open_signer(MemoryStores())


def unpack(body: bytes) -> ModelArchive:
    """All that a zip, or a bare model, holds."""
    packed = open_archive(body)
    return ModelArchive(
        model=b"".join(packed.parts()), certificate=packed.certificate, signature=packed.signature
    )


def foreign(name: str = MICROSOFT, *, model: bytes = MODEL) -> ModelArchive:
    """What somebody else signed, with a certificate that has run out."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2021, 1, 1, tzinfo=UTC))
        .sign(key, SHA256())
    )
    return ModelArchive(
        model=model,
        certificate=certificate.public_bytes(Encoding.DER),
        signature=key.sign(model, padding.PKCS1v15(), SHA512()),
    )


def trust(ours: Signer, *, others: str = MICROSOFT, unsigned: bool = False) -> TrustedSigners:
    return TrustedSigners(own=ours.certificate, others=others, unsigned=unsigned)


def test_the_zip_has_the_three_members_of_the_contract(ours: Signer) -> None:
    with zipfile.ZipFile(io.BytesIO(pack_archive(ours.sign(MODEL)))) as archive:
        assert archive.namelist() == ["model.vw", "signer.der", "sha512_signature.bin"]
        assert archive.read("model.vw") == MODEL
        assert len(archive.read("sha512_signature.bin")) == 256
        assert archive.testzip() is None


def test_anyone_can_verify_our_signature(ours: Signer) -> None:
    with zipfile.ZipFile(io.BytesIO(pack_archive(ours.sign(MODEL)))) as archive:
        key = x509.load_der_x509_certificate(archive.read("signer.der")).public_key()
        signature = archive.read("sha512_signature.bin")
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(signature, MODEL, padding.PKCS1v15(), SHA512())
    with pytest.raises(WrongSignature):
        key.verify(signature, MODEL + b".", padding.PKCS1v15(), SHA512())
    # The same by hand (RFC 8017, section 9.2): 00 01 FF ... FF 00, the name of the hash, the hash.
    digest = Hash(SHA512())
    digest.update(MODEL)
    plain = pow(int.from_bytes(signature), key.public_numbers().e, key.public_numbers().n).to_bytes(256)
    assert plain.startswith(b"\x00\x01\xff\xff")
    assert plain.endswith(bytes.fromhex("3051300d060960864801650304020305000440") + digest.finalize())


def test_the_signer_of_an_instance_stays_and_is_its_own() -> None:
    stores = MemoryStores()
    assert open_signer(stores) == open_signer(stores)
    assert open_signer(stores).certificate != open_signer(MemoryStores()).certificate


def test_our_own_is_accepted_without_a_setting(ours: Signer) -> None:
    trust(ours, others="").check(ours.sign(MODEL))


def test_microsofts_is_accepted_though_its_certificate_has_run_out(ours: Signer) -> None:
    trust(ours).check(open_archive(pack_archive(foreign())))


@pytest.mark.parametrize("unsigned", [False, True])
def test_a_changed_model_is_refused_whoever_signed_it(ours: Signer, *, unsigned: bool) -> None:
    for archive in (ours.sign(MODEL), foreign()):
        changed = ModelArchive(model=MODEL + b".", certificate=archive.certificate, signature=archive.signature)
        with pytest.raises(InvalidSignature, match="does not fit the model"):
            trust(ours, unsigned=unsigned).check(changed)


def test_a_certificate_of_another_name_is_refused_and_told(ours: Signer) -> None:
    archive = foreign("models.example")
    with pytest.raises(InvalidSignature) as caught:
        trust(ours).check(archive)
    assert "'models.example'" in caught.value.message
    assert certificate_fingerprint(archive.certificate) in caught.value.message
    assert "trustedModelSigners" in caught.value.message


@pytest.mark.parametrize("spelled", [str, str.upper, lambda text: ":".join([text[:2], text[2:]])])
def test_a_fingerprint_in_the_setting_is_accepted(ours: Signer, spelled: type[str]) -> None:
    archive = foreign("models.example")
    trust(ours, others=f"other.example, {spelled(certificate_fingerprint(archive.certificate))}").check(archive)


def test_the_fingerprint_is_that_of_other_tools(ours: Signer) -> None:
    certificate = x509.load_der_x509_certificate(ours.certificate)
    assert certificate_fingerprint(ours.certificate) == certificate.fingerprint(SHA256()).hex()


def test_a_pinned_fingerprint_refuses_one_that_only_has_the_name(ours: Signer) -> None:
    pinned = trust(ours, others=certificate_fingerprint(foreign().certificate))
    with pytest.raises(InvalidSignature):
        pinned.check(foreign())


def test_an_unsigned_model_needs_the_setting(ours: Signer) -> None:
    with pytest.raises(InvalidSignature, match="allowUnsignedModels"):
        trust(ours).check(open_archive(MODEL))
    with pytest.raises(InvalidSignature, match="allowUnsignedModels"):
        trust(ours).check(open_archive(pack_archive(ModelArchive(model=MODEL))))
    trust(ours, unsigned=True).check(open_archive(MODEL))
    trust(ours, unsigned=True).check(foreign("anyone.example"))


@pytest.mark.parametrize("certificate", [b"", b"no certificate", b"\x30\x82" + b"\xff" * 400])
def test_a_certificate_that_is_none_is_refused(ours: Signer, certificate: bytes) -> None:
    signature = foreign().signature
    with pytest.raises(InvalidSignature):
        trust(ours).check(ModelArchive(model=MODEL, certificate=certificate, signature=signature))


def test_a_certificate_without_an_rsa_key_is_refused(ours: Signer) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, MICROSOFT)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2030, 1, 1, tzinfo=UTC))
        .sign(key, SHA256())
    )
    with pytest.raises(InvalidSignature, match="no RSA key"):
        trust(ours).check(
            ModelArchive(model=MODEL, certificate=certificate.public_bytes(Encoding.DER), signature=b"x" * 256)
        )


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def test_what_is_packed_is_unpacked() -> None:
    archive = foreign()
    assert unpack(pack_archive(archive)) == archive
    assert pack_archive(archive) == pack_archive(archive)


def test_order_and_further_members_do_not_matter() -> None:
    archive = foreign()
    content = zipped(
        ("readme.txt", b"hello"),
        ("sha512_signature.bin", archive.signature),
        ("signer.der", archive.certificate),
        ("model.vw", archive.model),
        method=zipfile.ZIP_STORED,
    )
    assert unpack(content) == archive


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"PK",
        b"PK\x03\x04 and so on",
        zipped(),
        zipped(("other.vw", b"model")),
        zipped(("../model.vw", b"model")),
        zipped(("model.vw", b"model"), method=zipfile.ZIP_LZMA),
        pack_archive(ModelArchive(model=MODEL))[:-40],
        pack_archive(ModelArchive(model=MODEL))[:60] + b"????" + pack_archive(ModelArchive(model=MODEL))[64:],
    ],
)
def test_a_bad_zip_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidModel):
        unpack(body)


def test_a_zip_with_an_empty_model_is_refused() -> None:
    with pytest.raises(InvalidModel):
        convert_parts(open_archive(zipped(("model.vw", b""))).parts, VW_ARGUMENTS)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused() -> None:
    with pytest.raises(InvalidModel, match="more than once"):
        unpack(zipped(("model.vw", b"one"), ("model.vw", b"two")))


def test_a_zip_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MODEL_BYTES == 268_435_456
    monkeypatch.setattr("sartor.management.model_archive.MODEL_BYTES", 1_000_000)
    bomb = zipped(("model.vw", b"\0" * 10_000_000))
    assert len(bomb) < 20_000
    with pytest.raises(InvalidModel, match="larger than 1000000 bytes"):
        unpack(bomb)
