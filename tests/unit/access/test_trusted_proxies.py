"""Which client a request comes from, where proxies stand between."""

import asyncio

import pytest

from sartor.access.asgi import Message, Receive, Scope, Send
from sartor.access.forwarded import parse_address
from sartor.access.trusted_proxies import TrustedProxies
from sartor.errors import InvalidSetting
from sartor.settings import ForwardedHeader

PROXY = "10.0.0.1"


async def nothing(message: Message | None = None) -> Message:
    return {}


def seen_client(
    client: str, *headers: tuple[str, str], header: ForwardedHeader = "either", networks: str = "10.0.0.0/8"
) -> str:
    """The address that the application sees."""
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["client"][0])

    sent = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    scope: Scope = {"client": (client, 1), "headers": sent}
    proxies = TrustedProxies(app, [networks, "2001:db8:ffff::/48"], header=header)
    asyncio.run(proxies(scope, nothing, nothing))  # type: ignore[arg-type]
    return seen[0]


def by_list(client: str, *values: str) -> str:
    return seen_client(client, *(("x-forwarded-for", value) for value in values))


def by_rfc(client: str, *values: str) -> str:
    return seen_client(client, *(("forwarded", value) for value in values))


@pytest.mark.parametrize(
    ("client", "forwarded", "meant"),
    [
        pytest.param(PROXY, ["192.0.2.1"], "192.0.2.1", id="one proxy"),
        pytest.param(PROXY, ["192.0.2.1, 10.0.0.2"], "192.0.2.1", id="two proxies"),
        pytest.param(PROXY, ["192.0.2.1", "10.0.0.2"], "192.0.2.1", id="two headers"),
        pytest.param(PROXY, ["6.6.6.6, 192.0.2.1"], "192.0.2.1", id="a client that lies"),
        pytest.param("192.0.2.1", ["10.0.0.9"], "192.0.2.1", id="no proxy at all"),
        pytest.param(PROXY, [], PROXY, id="the proxy itself"),
        pytest.param(PROXY, [""], PROXY, id="an empty header"),
        pytest.param(PROXY, ["192.0.2.1, , 10.0.0.2,"], "192.0.2.1", id="empty entries"),
        pytest.param(PROXY, ["10.0.0.3, 10.0.0.2"], "10.0.0.3", id="proxies alone: the first of them"),
        pytest.param(PROXY, ["192.0.2.1, 2001:db8:ffff::7"], "192.0.2.1", id="a proxy with IPv6"),
        pytest.param("::ffff:10.0.0.1", ["192.0.2.1"], "192.0.2.1", id="a proxy at a socket of both kinds"),
        pytest.param(PROXY, ["192.0.2.1, 10.0.0.2:8443"], "192.0.2.1", id="a proxy with a port"),
        pytest.param("2001:db8::5", ["192.0.2.1"], "2001:db8::5", id="a stranger with IPv6"),
    ],
)
def test_only_a_trusted_proxy_says_for_whom_it_calls(client: str, forwarded: list[str], meant: str) -> None:
    assert by_list(client, *forwarded) == meant
    elements = [
        ", ".join(
            f'for="[{one}]"' if ":" in one and "." not in one else f'for="{one}"' for one in value.split(", ")
        )
        for value in forwarded
        if value and ", ," not in value
    ]
    if len(elements) == len(forwarded):
        assert by_rfc(client, *elements) == meant


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.8", "203.0.113.8"),
        ("203.0.113.8:40000", "203.0.113.8"),
        ("203.0.113.8:", "203.0.113.8"),
        ("203.0.113.8:_port", "203.0.113.8"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]:_x", "2001:db8::1"),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:db8::1:40000", "2001:db8::1"),
        ("2001:db8:1:2:3:4:5:6:443", "2001:db8:1:2:3:4:5:6"),
    ],
)
def test_what_is_an_address(text: str, address: str) -> None:
    assert parse_address(text) == address
    assert by_list(PROXY, f"6.6.6.6, {text}") == address
    assert by_rfc(PROXY, f'for=6.6.6.6, for="{text}"') == address


GARBAGE = (
    "unknown",
    "_hidden",
    "_x",
    "nonsense",
    "203.0.113",
    "203.0.113.8:port",
    "203.0.113.8:400000",
    "203.0.113.8:40:00",
    "[2001:db8::1",
    "2001:db8::1]",
    "[2001:db8::1]443",
    "[]",
    "[]:80",
    ":80",
    "::::",
    "010.1.1.1",
    "1e3",
    "0x7f000001",
    "\u00b9.1.1.1",
    "%",
    "a" * 10_000,
)


@pytest.mark.parametrize("text", GARBAGE, ids=lambda text: repr(text[:20]))
def test_garbage_is_never_an_address(text: str) -> None:
    """The client is then the proxy that forwarded it, not what stands before it."""
    assert by_list(PROXY, f"6.6.6.6, {text}") == PROXY
    assert by_list(PROXY, f"6.6.6.6, {text}, 10.0.0.2") == "10.0.0.2"
    assert by_rfc(PROXY, f'for=6.6.6.6, for="{text}"') == PROXY
    assert by_rfc(PROXY, f'for=6.6.6.6, for="{text}", for=10.0.0.2') == "10.0.0.2"


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("for=192.0.2.60", "192.0.2.60"),
        ('For="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
        ("proto=http ; FOR = 192.0.2.60", "192.0.2.60"),
        ("for=192.0.2.43, for=198.51.100.17", "198.51.100.17"),
        ("for=192.0.2.43,for=10.0.0.3", "192.0.2.43"),
        ('for="192.0.2.43:80";host="a,b;c=\\"d\\"";by=_x', "192.0.2.43"),
        ('for="192.0\\.2.43"', "192.0.2.43"),
        ("for=unknown", PROXY),
        ("for=_gazonk", PROXY),
        ('for="_gazonk:80"', PROXY),
        ("by=192.0.2.1;host=x", PROXY),
        ("for=192.0.2.1;for=192.0.2.2", PROXY),
        ("for", PROXY),
        ("for=", PROXY),
        ('for="', PROXY),
        ("=;=,;,", PROXY),
        ("for=6.6.6.6, for=unknown, for=10.0.0.2", "10.0.0.2"),
        ("forwarded-for=6.6.6.6", PROXY),
    ],
)
def test_the_header_of_rfc_7239(value: str, meant: str) -> None:
    assert by_rfc(PROXY, value) == meant


@pytest.mark.parametrize("start", ['for="', 'for="a, ', "for=1.1.1.1;x=\\", ',;"', 'for="\\'])
def test_what_a_client_wrote_does_not_change_what_the_proxy_says(start: str) -> None:
    """A quote that a client opened does not swallow the entry that the proxy appends."""
    for entry in ("for=192.0.2.1", 'for="192.0.2.1:80"', 'for="192.0.2.1";proto=https'):
        assert by_rfc(PROXY, f"{start}, {entry}") == "192.0.2.1"
        assert by_rfc(PROXY, start, entry) == "192.0.2.1"
    assert by_list(PROXY, f"{start}, 192.0.2.1") == "192.0.2.1"


@pytest.mark.parametrize(
    ("header", "meant"),
    [("either", "192.0.2.1"), ("x-forwarded-for", "192.0.2.1"), ("forwarded", "192.0.2.2")],
)
def test_where_both_headers_are_there(header: ForwardedHeader, meant: str) -> None:
    both = (("forwarded", "for=192.0.2.2"), ("x-forwarded-for", "192.0.2.1"))
    assert seen_client(PROXY, *both, header=header) == meant
    assert seen_client("192.0.2.9", *both, header=header) == "192.0.2.9"


def test_a_header_that_is_not_read_is_not_read() -> None:
    assert seen_client(PROXY, ("forwarded", "for=192.0.2.2"), header="x-forwarded-for") == PROXY
    assert seen_client(PROXY, ("x-forwarded-for", "192.0.2.2"), header="forwarded") == PROXY
    blank = (("x-forwarded-for", " , "), ("forwarded", "for=192.0.2.2"))
    assert seen_client(PROXY, *blank) == "192.0.2.2"


def test_a_chain_has_an_end() -> None:
    chain = ", ".join(f"10.0.{number // 256}.{number % 256}" for number in range(5_000))
    assert by_list(PROXY, chain) == f"10.0.{(5_000 - 32) // 256}.{(5_000 - 32) % 256}"


def test_a_network_that_is_none() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """Nothing."""

    with pytest.raises(InvalidSetting):
        TrustedProxies(app, ["10.0.0.1/8"])
