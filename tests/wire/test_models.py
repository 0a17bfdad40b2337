"""The model on the wire: out, in, reset, properties (contract, sections 1.8, 2.7 and 3.5)."""

import io
import zipfile
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import pylibvw
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA512

from sartor.api.http.durations import format_zoned_us
from sartor.api.routing import versions
from sartor.api.routing.versions import FROM_PREVIEW_3, PREVIEW_2, PREVIEW_3, V1_0, V2022_09, Version
from sartor.dsjson.context_json import encode_context
from sartor.management import loops
from tests.unit.instance import ACTIONS
from tests.wire.harness import Reply, Service, articles
from tests.wire.taught import FACTORY, Taught
from tests.wire.test_versions import EACH, at

NEVER = "0001-01-01T00:00:00+00:00"
SIGNING = pytest.mark.parametrize("version", FROM_PREVIEW_3, ids=lambda version: version.name)


@pytest.fixture
def taught() -> Iterator[Taught]:
    made = Taught()
    yield made
    made.close()


def signed(service: Service, version: Version = PREVIEW_3, *, requested: str = "true") -> Reply:
    path = at(version, "/model")
    return service.call("GET", f"{path}{'&' if '?' in path else '?'}signed={requested}")


def put(service: Service, body: bytes, version: Version = PREVIEW_3) -> Reply:
    headers = {"content-type": "application/octet-stream"}
    return service.call("PUT", at(version, "/model"), body, headers=headers)


@EACH
def test_the_raw_model_is_the_file_of_the_engine(taught: Taught, version: Version) -> None:
    reply = taught.call("GET", at(version, "/model"))
    assert (reply.status, reply.body) == (200, taught.raw())
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["content-disposition"] == "attachment; filename=model.vw"
    live = taught.logs.models.live()
    assert live is not None
    modified = parsedate_to_datetime(reply.headers["last-modified"])
    assert int(modified.timestamp()) == live.created_at_us // 1_000_000


def test_a_plain_engine_loads_it_and_predicts_the_same(taught: Taught, tmp_path: Path) -> None:
    (tmp_path / "model.vw").write_bytes(taught.call("GET", at(V1_0, "/model")).body)
    requested = encode_context(b'[{"device":"mobile"}]', ACTIONS)
    plain = pylibvw.vw(["--quiet", "--dsjson", "--testonly", "-i", str(tmp_path / "model.vw")])
    examples = plain._parse(b'{"a":[1,2,3],"c":%b}' % requested)
    plain.predict_multi(examples)
    theirs = examples[0].get_action_scores()
    plain._finish_example_multi_ex(examples)
    plain.finish()
    live = taught.logs.models.live()
    assert live is not None
    ours = FACTORY(live.arguments, taught.logs.models.blob(live.model_id))
    assert ours.probabilities(requested, 3) == pytest.approx(theirs, abs=1e-7)
    assert max(theirs) > 0.5
    ours.close()


@EACH
def test_there_is_no_model_before_the_first_export(service: Service, version: Version) -> None:
    reply = service.call("GET", at(version, "/model"))
    assert (reply.status, reply.code) == (404, "ResourceNotFound")
    assert "uniform" in reply.message


@SIGNING
def test_the_signed_zip_is_verified_by_other_means(taught: Taught, version: Version) -> None:
    reply = signed(taught, version)
    assert reply.status == 200
    assert reply.headers["content-disposition"] == "attachment; filename=model.vw.zip"
    with zipfile.ZipFile(io.BytesIO(reply.body)) as archive:
        assert archive.read("model.vw") == taught.raw()
        key = x509.load_der_x509_certificate(archive.read("signer.der")).public_key()
        signature = archive.read("sha512_signature.bin")
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(signature, taught.raw(), padding.PKCS1v15(), SHA512())
    with pytest.raises(InvalidSignature):
        key.verify(signature, taught.raw()[:-1], padding.PKCS1v15(), SHA512())


def test_whether_it_is_signed_is_asked_for(taught: Taught) -> None:
    assert signed(taught, requested="false").body == taught.raw()
    assert signed(taught, requested="True").body[:2] == b"PK"
    assert signed(taught, PREVIEW_2).body == taught.raw()
    reply = signed(taught, requested="yes")
    assert (reply.status, reply.code) == (400, "InvalidRequest")


@SIGNING
def test_an_exported_model_is_put_back(taught: Taught, version: Version) -> None:
    package, before = signed(taught).body, taught.raw()
    assert taught.call("DELETE", at(version, "/model")).status == 204
    reply = put(taught, package, version)
    assert (reply.status, reply.body) == (204, b"")
    assert taught.raw() == before
    assert taught.learn(3).learned == 3


@pytest.mark.parametrize("version", versions.PATHS[:3], ids=lambda version: version.name)
def test_older_versions_take_no_model(taught: Taught, version: Version) -> None:
    reply = put(taught, signed(taught).body, version)
    assert reply.status == 405


@SIGNING
@pytest.mark.parametrize("body", [b"", b"PK nonsense", b"PK\x05\x06" + b"\0" * 18])
def test_a_bad_zip_is_refused_in_the_casing_of_the_retired_service(
    taught: Taught, version: Version, body: bytes
) -> None:
    reply = put(taught, body, version)
    assert (reply.status, reply.code) == (400, "invalidModelImportFormat")
    assert reply.headers["x-ms-error-code"] == "invalidModelImportFormat"


@SIGNING
def test_a_bad_signature_is_refused(taught: Taught, version: Version) -> None:
    with zipfile.ZipFile(io.BytesIO(signed(taught).body)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["model.vw"] = members["model.vw"][:-1] + bytes([members["model.vw"][-1] ^ 1])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    before = taught.logs.models.live()
    reply = put(taught, buffer.getvalue(), version)
    assert (reply.status, reply.code) == (400, "InvalidModelImportSignature")
    assert taught.logs.models.live() == before


def test_an_unsigned_model_is_refused_until_it_is_allowed(taught: Taught) -> None:
    raw = taught.raw()
    reply = put(taught, raw)
    assert (reply.status, reply.code) == (400, "invalidModelImportFormat")
    assert "allowUnsignedModels" in reply.message
    loops.change_settings(taught.stores, "default", {"allowUnsignedModels": True})
    assert put(taught, raw).status == 204


def test_a_model_of_other_learning_settings_is_refused(taught: Taught) -> None:
    package = signed(taught).body
    loops.set_policy(taught.stores, "default", "--cb_explore_adf --epsilon 0.1 --cb_type ips")
    reply = put(taught, package)
    assert (reply.status, reply.code) == (400, "invalidModelImportFormat")
    assert "does not fit the learning settings" in reply.message


def test_what_is_no_model_is_refused_though_anything_is_allowed(taught: Taught) -> None:
    loops.change_settings(taught.stores, "default", {"allowUnsignedModels": True})
    raw = taught.raw()
    for body in (b"no model", raw[:30], raw[:100], b"\0" * 1_000, b"\xff" * 1_000):
        reply = put(taught, body)
        assert (reply.status, reply.code) == (400, "invalidModelImportFormat")


@EACH
def test_a_reset_makes_ranks_uniform_until_the_next_export(taught: Taught, version: Version) -> None:
    def odds() -> set[float]:
        taught.live.refresh()
        ranked = taught.rank(articles(4)).json()["ranking"]
        assert isinstance(ranked, list)
        return {entry["probability"] for entry in ranked}

    reply = taught.call("DELETE", at(version, "/model"))
    assert (reply.status, reply.body) == (204, b"")
    assert odds() == {0.25}
    assert taught.decisions()[-1].decision.model_id == "N/A"
    again = taught.learn(5)
    assert again.learned == 5
    assert again.base_id is None


@EACH
def test_the_properties_begin_with_year_1(service: Service, version: Version) -> None:
    reply = service.call("GET", at(version, "/model/properties"))
    assert (reply.status, reply.json()) == (200, {"creationTime": NEVER, "lastModifiedTime": NEVER})


@EACH
def test_the_properties_say_when_the_model_was_made_and_renewed(taught: Taught, version: Version) -> None:
    first = taught.logs.models.live()
    assert first is not None
    second = taught.learn(3)
    path = at(version, "/model/properties")
    assert taught.call("GET", path).json() == {
        "creationTime": format_zoned_us(first.created_at_us),
        "lastModifiedTime": format_zoned_us(second.created_at_us),
    }
    taught.call("DELETE", at(version, "/model"))
    assert taught.call("GET", path).json() == {"creationTime": NEVER, "lastModifiedTime": NEVER}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_model_needs_a_key(taught: Taught, method: str) -> None:
    reply = taught.call(method, at(V2022_09, "/model"), key=None)
    assert (reply.status, reply.code) == (401, "401")
