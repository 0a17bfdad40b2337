"""Packs and unpacks the zip of a signed model; limits how much is read of one from outside."""

import hashlib
import io
import zipfile
from collections.abc import Iterator

from msgspec import Struct

from sartor.errors import InvalidModel
from sartor.learn.dumps import FILE_NAMES, name_file
from sartor.management.zip_reader import ZipMember, ZipReader

MODEL_BYTES = 268_435_456
"""The largest size of an unpacked model."""

_CERTIFICATE, _SIGNATURE = "signer.der", "sha512_signature.bin"
_SMALL_BYTES = 65_536
_MADE_AT = (1980, 1, 1, 0, 0, 0)
_CHUNK_BYTES = 65_536


class ModelArchive(Struct, frozen=True, kw_only=True):
    """A model with the certificate of its signer and the signature; both are empty where there is none."""

    model: bytes
    certificate: bytes = b""
    signature: bytes = b""

    def digest(self) -> bytes:
        """SHA-512 of the model."""
        return hashlib.sha512(self.model).digest()


class PackedModel:
    """A model that is still packed, with what is known of its signer; ``open_archive`` opens it."""

    def __init__(self, body: bytes, /) -> None:
        """Read the directory of a zip, the certificate and the signature, but not the model."""
        self._body = body
        self._zip = ZipReader(body) if body.startswith(b"PK") else None
        self.certificate = self._read_small(_CERTIFICATE)
        self.signature = self._read_small(_SIGNATURE)
        self._model = self._find_model()

    @property
    def is_bare(self) -> bool:
        """Whether it is a model file without a zip around it."""
        return self._zip is None

    def parts(self) -> Iterator[bytes]:
        """The model, in parts of 64 KiB at most.

        Raises:
            InvalidModel: it is larger than ``MODEL_BYTES``, or can't be unpacked.
        """
        if self._zip is not None and self._model is not None:
            yield from self._zip.parts(self._model, most=MODEL_BYTES)
            return
        for at in range(0, len(self._body), _CHUNK_BYTES):
            yield self._body[at : at + _CHUNK_BYTES]

    def digest(self) -> bytes:
        """SHA-512 of the model, which is unpacked piece by piece.

        Raises:
            InvalidModel: see ``parts``.
        """
        found = hashlib.sha512()
        for part in self.parts():
            found.update(part)
        return found.digest()

    def _find_model(self) -> ZipMember | None:
        if self._zip is None:
            return None
        found = [self._zip.members[name.encode()] for name in FILE_NAMES if name.encode() in self._zip.members]
        models = [model for model in found if model.start != model.end]
        if len(models) != 1:
            raise InvalidModel(f"The zip must hold one model, called {' or '.join(FILE_NAMES)}.")
        return models[0]

    def _read_small(self, name: str) -> bytes:
        member = None if self._zip is None else self._zip.members.get(name.encode())
        if self._zip is None or member is None:
            return b""
        return b"".join(self._zip.parts(member, most=_SMALL_BYTES))


def pack_archive(archive: ModelArchive, /) -> bytes:
    """Returns the zip; the same archive gives the same bytes."""
    members = {
        name_file(archive.model): archive.model,
        _CERTIFICATE: archive.certificate,
        _SIGNATURE: archive.signature,
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zip_file:
        for name, content in members.items():
            zip_file.writestr(zipfile.ZipInfo(name, _MADE_AT), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def open_archive(body: bytes, /) -> PackedModel:
    """Opens a zip, or a bare model that is no zip, and unpacks nothing but certificate and signature.

    Raises:
        InvalidModel: the zip can't be read, or has no model.
    """
    if not body:
        raise InvalidModel("The body is empty; the zip of a signed model is expected.")
    return PackedModel(body)
