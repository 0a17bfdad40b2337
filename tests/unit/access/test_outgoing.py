"""The client of other services: to which addresses it connects, and that no redirect moves it."""

import socket
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address
from typing import Any

import pytest
import requests

from sartor.access.outgoing import OutgoingSession
from sartor.access.public_addresses import find_public_addresses, is_public
from sartor.errors import DestinationRefused
from tests.unit.redirecting_server import STATUSES, RecordingServer, redirected
from tests.unit.threaded_server import serve_in_thread

PRIVATE = (
    *("127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "168.63.129.16"),
    *(
        "0.0.0.0",
        "0.1.2.3",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
    ),
    *("224.0.0.251", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::8.8.8.8", "::ffff:10.0.0.1"),
    *("64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1"),
    *("2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1"),
    "2606:4700::5efe:10.0.0.1",
)
PUBLIC = (
    *("8.8.8.8", "1.1.1.1", "20.38.98.100", "2606:4700::1111"),
    *("::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"),
)


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_that_are(address: str) -> None:
    assert is_public(ip_address(address))


Lookups = list[str]
Resolve = Callable[[Sequence[Sequence[str]]], Lookups]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Makes the resolver answer with one list of addresses after the other; gives the names that were asked."""

    def answer_with(answers: Sequence[Sequence[str]]) -> Lookups:
        asked: Lookups = []

        def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
            found = answers[min(len(asked), len(answers) - 1)]
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

        monkeypatch.setattr("sartor.access.public_addresses.socket.getaddrinfo", getaddrinfo)
        return asked

    return answer_with


def test_one_address_inside_is_enough_to_refuse(resolve: Resolve) -> None:
    resolve([["8.8.8.8", "10.0.0.1"]])
    with pytest.raises(DestinationRefused):
        find_public_addresses("mixed.example", 443)


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "fe80::1%eth0", "169.254.169.254"])
def test_a_name_that_means_an_address_inside_is_not_connected_to(resolve: Resolve, address: str) -> None:
    resolve([[address]])
    with serve_in_thread(RecordingServer()) as server:
        with pytest.raises(DestinationRefused, match="public address"):
            OutgoingSession("public").put(
                f"http://store.example:{server.server_port}/a", data=b"log", timeout=5
            )
        assert server.received == []


def test_numbers_that_a_resolver_reads_as_an_address_are_checked_too() -> None:
    with serve_in_thread(RecordingServer()) as server:
        for host in ("2130706433", "0x7f.1", "127.1", "0177.0.0.1"):
            with pytest.raises((DestinationRefused, requests.RequestException)):
                OutgoingSession("public").get(f"http://{host}:{server.server_port}/", timeout=5)
        assert server.received == []


def test_the_connection_goes_to_the_address_that_was_checked(
    resolve: Resolve, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolve([["8.8.8.8"], ["127.0.0.1"]])
    connected: list[object] = []

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        connected.append(address)
        raise OSError("There is no such network here.")

    monkeypatch.setattr("sartor.access.outgoing.create_connection", connect)
    with pytest.raises(requests.ConnectionError):
        OutgoingSession("public").put("https://rebinding.example/a", data=b"log", timeout=5)
    assert asked == ["rebinding.example"]  # once: what the name means next does not matter
    assert connected == [("8.8.8.8", 443)]


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingServer]:
    """A proxy that the environment names."""
    with serve_in_thread(RecordingServer()) as server:
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
            monkeypatch.setenv(name, server.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        yield server


def test_no_proxy_looks_the_name_up_again(resolve: Resolve, proxy: RecordingServer) -> None:
    resolve([["10.0.0.1"]])
    with pytest.raises(DestinationRefused):
        OutgoingSession("public").get("http://store.example/", timeout=5)
    assert proxy.received == []


def test_where_any_address_is_right_a_proxy_is_too(proxy: RecordingServer) -> None:
    assert OutgoingSession().get("http://store.example/a", timeout=5).status_code == 200
    assert proxy.received == [("GET", "http://store.example/a", b"")]


def test_the_environment_says_which_certificates_are_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ours.pem")
    for reach in ("any", "public"):
        settings = OutgoingSession(reach).merge_environment_settings("https://a.example", {}, None, None, None)
        assert settings["verify"] == "/etc/ours.pem"


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "HEAD", "DELETE"])
@pytest.mark.parametrize("status", STATUSES)
def test_a_redirect_is_an_answer_like_any_other(method: str, status: int) -> None:
    with redirected(status) as (server, elsewhere):
        for allow in (True, False):
            answer = OutgoingSession().request(
                method, f"{server.url}/a", data=b"log", timeout=5, allow_redirects=allow
            )
            assert answer.status_code == status
        assert len(server.received) == 2
        assert elsewhere.received == []
