"""Packs and unpacks the zip of a signed model; limits how much is read of one from outside."""

import io
import zipfile
import zlib

from msgspec import Struct

from sartor.errors import InvalidModel

MODEL_BYTES = 268_435_456
"""The largest size of an unpacked model."""

_MODEL, _CERTIFICATE, _SIGNATURE = "model.vw", "signer.der", "sha512_signature.bin"
_SMALL_BYTES = 65_536
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MADE_AT = (1980, 1, 1, 0, 0, 0)
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, NotImplementedError)


class ModelArchive(Struct, frozen=True, kw_only=True):
    """A model with the certificate of its signer and the signature; both are empty where there is none."""

    model: bytes
    certificate: bytes = b""
    signature: bytes = b""


def pack_archive(archive: ModelArchive, /) -> bytes:
    """Returns the zip; the same archive gives the same bytes."""
    members = {_MODEL: archive.model, _CERTIFICATE: archive.certificate, _SIGNATURE: archive.signature}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zip_file:
        for name, content in members.items():
            zip_file.writestr(zipfile.ZipInfo(name, _MADE_AT), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def unpack_archive(body: bytes, /) -> ModelArchive:
    """What a zip holds, or a bare model that is no zip, as an unsigned archive.

    Raises:
        InvalidModel: the zip can't be read, has no model, or one that is too large.
    """
    if not body:
        raise InvalidModel("The body is empty; the zip of a signed model is expected.")
    if not body.startswith(b"PK"):
        return ModelArchive(model=body)
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return _read_members(archive)
    except _UNREADABLE as error:
        raise InvalidModel(f"The zip can't be read: {error}.") from error


def _read_members(archive: zipfile.ZipFile) -> ModelArchive:
    model = _read_member(archive, _MODEL, most=MODEL_BYTES)
    if not model:
        raise InvalidModel(f"The zip holds no {_MODEL}.")
    certificate = _read_member(archive, _CERTIFICATE, most=_SMALL_BYTES)
    signature = _read_member(archive, _SIGNATURE, most=_SMALL_BYTES)
    return ModelArchive(model=model, certificate=certificate, signature=signature)


def _read_member(archive: zipfile.ZipFile, name: str, *, most: int) -> bytes:
    found = [info for info in archive.infolist() if info.filename == name]
    if len(found) > 1:
        raise InvalidModel(f"The zip holds {name} more than once.")
    if not found:
        return b""
    if found[0].compress_type not in _METHODS:
        raise InvalidModel(f"{name} is packed in a way that is not accepted; use deflate.")
    with archive.open(found[0]) as member:
        content = member.read(most + 1)
    if len(content) > most:
        raise InvalidModel(f"{name} is larger than {most} bytes.")
    return content
