"""From which networks a loop may be called."""

import pytest

from sartor.access.allowed_networks import AllowedNetworks, client_address, parse_networks
from sartor.errors import Forbidden, InvalidSetting

ALLOWED = AllowedNetworks(("10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"))


@pytest.mark.parametrize(
    "address", ["10.0.0.0", "10.255.255.255", "192.0.2.7", "2001:db8::1", "::ffff:10.1.2.3", "2001:db8::1%eth0"]
)
def test_inside(address: str) -> None:
    ALLOWED.check(address)
    ALLOWED.check(address)


@pytest.mark.parametrize(
    "address",
    ["9.255.255.255", "11.0.0.0", "192.0.2.8", "2001:db9::1", "::ffff:11.1.2.3", "::1", "", "nonsense"],
)
def test_outside(address: str) -> None:
    for _ in range(2):
        with pytest.raises(Forbidden):
            ALLOWED.check(address)


def test_many_addresses_are_not_all_remembered() -> None:
    networks = AllowedNetworks(("10.0.0.0/8",))
    for number in range(5_000):
        networks.check(f"10.0.{number // 256}.{number % 256}")
    assert len(networks._results) <= 4096


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "everywhere", ""])
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(InvalidSetting):
        parse_networks((text,))


def test_a_local_socket_has_no_address() -> None:
    assert client_address({"client": None}) == client_address({}) == ""
    assert client_address({"client": ("10.0.0.1", 5)}) == "10.0.0.1"
