"""HTTPS on a real socket: a certificate is shown, exchanged while it serves, and kept if the new one is bad."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from cryptography import x509

from sartor.api.http.tls import Certificates
from sartor.errors import InvalidSetting
from tests.acceptance.service import eventually
from tests.wire.certificates import authority
from tests.wire.harness import PREFIX, Service, person, served


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "cert.pem", tmp_path / "key.pem"


@pytest.fixture
def trust(tmp_path: Path) -> str:
    return str(authority().write(tmp_path))


@pytest.fixture
def secure(service: Service, files: tuple[Path, Path]) -> Iterator[str]:
    """The service by HTTPS."""
    authority().issue(*files)
    with served(service, tls=Certificates(*files)) as endpoint:
        yield endpoint.replace("http://", "https://")


def read_serial(endpoint: str, **limits: ssl.TLSVersion) -> int:
    """The serial number of the certificate that a new connection is shown."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for name, version in limits.items():
        setattr(context, name, version)
    host, port = endpoint.removeprefix("https://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw, context.wrap_socket(raw) as secure:
        found = secure.getpeercert(binary_form=True)
    assert found is not None
    return x509.load_der_x509_certificate(found).serial_number


@contextmanager
def trusting(authority_file: str) -> Iterator[requests.Session]:
    """A client that trusts this authority, whatever its environment says."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = authority_file
        yield session


def test_requests_are_answered_by_https(service: Service, secure: str, trust: str) -> None:
    with trusting(trust) as session:
        session.headers["ocp-apim-subscription-key"] = service.loop.key1
        url = f"{secure}{PREFIX}"
        assert session.post(f"{url}/rank", json=person(eventId="e"), timeout=5).status_code == 201
        assert session.post(f"{url}/events/e/reward", json={"value": 1}, timeout=5).status_code == 204
    assert len(service.decisions()) == len(service.observations()) == 1


def test_plain_http_is_not_answered(secure: str) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(secure.replace("https", "http") + "/health/live", timeout=5)


def test_old_versions_of_tls_are_not_spoken(secure: str) -> None:
    with pytest.warns(DeprecationWarning, match="TLSv1_1"), pytest.raises(ssl.SSLError):
        read_serial(secure, maximum_version=ssl.TLSVersion.TLSv1_1)


def test_a_new_certificate_is_shown_without_a_restart(
    service: Service, secure: str, files: tuple[Path, Path], trust: str
) -> None:
    before = read_serial(secure)
    with trusting(trust) as session:
        assert session.get(f"{secure}/health/live", timeout=5).ok
        new = authority().issue(*files, name="renewed")
        eventually(lambda: read_serial(secure) == new, "the new certificate is shown")
        assert before != new
        assert session.get(f"{secure}/health/live", timeout=5).ok, "a connection that was there goes on"


def test_a_certificate_that_does_not_fit_its_key_is_not_taken(files: tuple[Path, Path], tmp_path: Path) -> None:
    serial = authority().issue(*files)
    now: list[float] = [0.0]
    certificates = Certificates(*files, clock_s=lambda: now[0])
    authority().issue(files[0], tmp_path / "another-key.pem")
    for second in range(3):
        now[0] = 10.0 * (second + 1)
        certificates.refresh()
    assert handshake(certificates) == serial
    new = authority().issue(*files)
    now[0] += 10
    certificates.refresh()
    assert handshake(certificates) == new
    files[1].unlink()
    now[0] += 10
    certificates.refresh()
    assert handshake(certificates) == new


def handshake(certificates: Certificates) -> int:
    """The serial number that a client in memory is shown."""
    client, server = ssl.create_default_context(), certificates.context
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server)
    for _ in range(4):
        for side in (theirs, ours):
            _step(side.do_handshake)
    found = theirs.getpeercert(binary_form=True)
    assert found is not None
    return x509.load_der_x509_certificate(found).serial_number


def _step(shake: Callable[[], None]) -> None:
    try:
        shake()
    except ssl.SSLWantReadError:
        return


def test_files_that_can_not_be_used_stop_the_start(files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting):
        Certificates(*files)
    authority().issue(*files)
    authority().issue(tmp_path / "other.pem", tmp_path / "other-key.pem")
    with pytest.raises(InvalidSetting):
        Certificates(files[0], tmp_path / "other-key.pem")
