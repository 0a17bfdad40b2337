"""Which URLs a caller may give: what is allowed, and every way to say something else than it seems."""

import pytest

from sartor.access.destinations import AllowedDestinations, Reach, parse_destinations
from sartor.errors import DestinationRefused, InvalidSetting

SAS = "?sv=2021-12-02&sp=racwl&sig=x"
DEFAULT = AllowedDestinations()
LISTED = parse_destinations(
    "http://127.0.0.1:10000, https://*.blob.core.windows.net/, s3://bucket,"
    "abfs://logs@account.dfs.core.windows.net, http://[::1]:9000, https://store.example:8443"
)

OUTSIDE = [
    f"https://account.blob.core.windows.net/logs{SAS}",
    f"HTTPS://Account.Blob.Core.Windows.Net:443/logs{SAS}",
    f"https://8.8.8.8/logs{SAS}",
    f"https://[2001:4860:4860::8888]/logs{SAS}",
    f"https://[64:ff9b::808:808]/logs{SAS}",
    f"https://xn--bcher-kva.example/logs{SAS}",
]

REFUSED = [
    # Not a remote URL at all, or one inside another.
    "/srv/somewhere",
    "srv",
    "",
    "file:///srv/somewhere",
    "FILE:///srv/somewhere",
    "local:///srv/somewhere",
    "dir://x::file:///srv/somewhere",
    "simplecache::file:///srv/somewhere",
    "filecache://",
    "filecache://x",
    "blockcache::file:///srv",
    "memory://",
    "memory://x",
    "reference://x",
    "zip://a::file:///srv/a.zip",
    "tar://a::https://store.example/c",
    "data:,x",
    "github://org:repo@/",
    "ftp://127.0.0.1",
    "sftp://127.0.0.1/srv",
    "s3://bucket/logs",
    "s3://bucket::file:///srv",
    f"https://store.example/c::file:///srv{SAS}",
    f"https://store.example/c{SAS}::file:///srv",
    f"simplecache::https://store.example/c{SAS}",
    # By http, or without a signature, or on another port.
    f"http://account.blob.core.windows.net/logs{SAS}",
    "http://169.254.169.254/?sig=&sp=w",
    "https://169.254.169.254/?sig=&sp=w",
    "https://account.blob.core.windows.net/logs",
    f"https://store.example:8443/c{SAS}",
    f"https://store.example:80/c{SAS}",
    f"https://store.example:0/c{SAS}",
    f"https://store.example:/c{SAS}",
    f"https://store.example:99999/c{SAS}",
    f"https://store.example:x/c{SAS}",
    # This machine and its network, in all spellings.
    f"https://127.0.0.1/c{SAS}",
    f"https://127.1/c{SAS}",
    f"https://2130706433/c{SAS}",
    f"https://0x7f000001/c{SAS}",
    f"https://0x7f.0.0.1/c{SAS}",
    f"https://0177.0.0.1/c{SAS}",
    f"https://127.0.0.01/c{SAS}",
    f"https://127.0.0.1./c{SAS}",
    f"https://0.0.0.0/c{SAS}",
    f"https://0/c{SAS}",
    f"https://10.0.0.1/c{SAS}",
    f"https://172.16.0.1/c{SAS}",
    f"https://192.168.0.1/c{SAS}",
    f"https://100.64.0.1/c{SAS}",
    f"https://100.100.100.200/c{SAS}",
    f"https://168.63.129.16/c{SAS}",
    f"https://192.0.0.192/c{SAS}",
    f"https://198.18.0.1/c{SAS}",
    f"https://224.0.0.1/c{SAS}",
    f"https://240.0.0.1/c{SAS}",
    f"https://255.255.255.255/c{SAS}",
    f"https://[::]/c{SAS}",
    f"https://[::1]/c{SAS}",
    f"https://[::ffff:127.0.0.1]/c{SAS}",
    f"https://[::ffff:7f00:1]/c{SAS}",
    f"https://[::127.0.0.1]/c{SAS}",
    f"https://[2002:7f00:1::]/c{SAS}",
    f"https://[2002:a9fe:a9fe::1]/c{SAS}",
    f"https://[64:ff9b::7f00:1]/c{SAS}",
    f"https://[64:ff9b:1::1]/c{SAS}",
    f"https://[fe80::1]/c{SAS}",
    f"https://[fe80::1%25eth0]/c{SAS}",
    f"https://[fec0::1]/c{SAS}",
    f"https://[fd00:ec2::254]/c{SAS}",
    f"https://[ff02::1]/c{SAS}",
    f"https://[2001:db8::1]/c{SAS}",
    f"https://localhost/c{SAS}",
    f"https://a.localhost/c{SAS}",
    f"https://minio/c{SAS}",
    f"https://metadata.google.internal/c{SAS}",
    f"https://printer.local/c{SAS}",
    f"https://store.example./c{SAS}",
    # What can be read in several ways.
    f"https://user@store.example/c{SAS}",
    f"https://user:password@store.example/c{SAS}",
    f"https://store.example@127.0.0.1/c{SAS}",
    f"https://store.example\\@127.0.0.1/c{SAS}",
    f"https://store.example%2f@127.0.0.1/c{SAS}",
    f"https://store.example#@127.0.0.1/c{SAS}",
    f"https://store%2eexample/c{SAS}",
    f"https://１２７.0.0.1/c{SAS}",
    f"https://stör.example/c{SAS}",
    f"https://store.example /c{SAS}",
    f"https://store.example\t/c{SAS}",
    f"https://store.example\r\n/c{SAS}",
    f" https://store.example/c{SAS}",
    f"https:///c{SAS}",
    f"https:/store.example/c{SAS}",
    f"https://[::1/c{SAS}",
    f"https://-store.example/c{SAS}",
    f"https://store..example/c{SAS}",
    f"https://store.example/{'c' * 5000}{SAS}",
]


IN_THE_LIST = (
    "s3://bucket/logs",
    f"https://store.example:8443/c{SAS}",
    "https://account.blob.core.windows.net/logs",  # that it needs a signature is another rule
)


@pytest.mark.parametrize("url", OUTSIDE)
def test_by_default_a_sas_uri_by_https_at_a_public_address(url: str) -> None:
    assert DEFAULT.check(url) == "public"


@pytest.mark.parametrize("url", REFUSED)
def test_and_nothing_else(url: str) -> None:
    with pytest.raises(DestinationRefused):
        DEFAULT.check(url)


@pytest.mark.parametrize(
    ("url", "reach"),
    [
        (f"http://127.0.0.1:10000/account/logs{SAS}", "any"),
        (f"https://account.blob.core.windows.net/logs{SAS}", "public"),
        (f"https://a.b.BLOB.core.windows.net/logs{SAS}", "public"),
        ("s3://bucket/logs", "any"),
        ("abfs://logs@account.dfs.core.windows.net/a", "any"),
        (f"http://[0:0::1]:9000/logs{SAS}", "any"),
        (f"https://store.example:8443/logs{SAS}", "any"),
    ],
)
def test_what_an_administrator_lists(url: str, reach: Reach) -> None:
    assert LISTED.check(url) == reach


@pytest.mark.parametrize(
    "url",
    [
        *(url for url in REFUSED if url not in IN_THE_LIST),
        f"https://8.8.8.8/logs{SAS}",
        f"http://127.0.0.1:10001/logs{SAS}",
        f"http://127.0.0.1/logs{SAS}",
        f"https://127.0.0.1:10000/logs{SAS}",
        f"https://blob.core.windows.net/logs{SAS}",
        f"https://evilblob.core.windows.net/logs{SAS}",
        f"https://a.blob.core.windows.net.evil.example/logs{SAS}",
        f"http://a.blob.core.windows.net/logs{SAS}",
        f"https://a.blob.core.windows.net:444/logs{SAS}",
        "s3://bucket2/logs",
        "s3://key@bucket/logs",
        "abfs://other@account.dfs.core.windows.net/a",
        f"https://store.example/logs{SAS}",
    ],
)
def test_and_nothing_beside_it(url: str) -> None:
    with pytest.raises(DestinationRefused):
        LISTED.check(url)


def test_the_list_may_hold_the_default_too_or_nothing() -> None:
    both = parse_destinations("public-sas,http://127.0.0.1:10000")
    assert both.check(OUTSIDE[0]) == "public"
    assert both.check(f"http://127.0.0.1:10000/a{SAS}") == "any"
    assert parse_destinations("public-sas") == DEFAULT
    for url in OUTSIDE:
        with pytest.raises(DestinationRefused):
            parse_destinations(" ").check(url)


@pytest.mark.parametrize(
    "entry",
    [
        "store.example",
        "https://",
        "https://*",
        "*",
        "https://store.example/path",
        "https://store.example?x",
        "https://a*b.example",
        "s3://*.bucket",
        "file:///srv",
        "file://srv",
        "memory://x",
        "simplecache://x",
        "dir://x::file:///srv",
        "https://user@store.example",
        "https://store.example:0",
        "https://127.1",
        "https://store.example.",
        "PUBLIC-SAS",
    ],
)
def test_entries_that_mean_nothing_or_too_much(entry: str) -> None:
    with pytest.raises((InvalidSetting, DestinationRefused)):
        parse_destinations(f"public-sas, {entry}")
