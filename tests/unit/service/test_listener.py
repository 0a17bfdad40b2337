"""Listening sockets: free ports, taken ports, and the URL by which one is reached."""

import socket

import pytest

from sartor.errors import InvalidSetting
from sartor.service import listener


def test_port_zero_takes_a_free_one() -> None:
    with listener.listen("127.0.0.1", 0) as opened:
        port = opened.getsockname()[1]
        assert listener.format_endpoint(opened, "127.0.0.1") == f"http://127.0.0.1:{port}"
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass


def test_an_address_for_everyone_is_told_as_this_machine() -> None:
    with listener.listen("0.0.0.0", 0) as opened:
        assert listener.format_endpoint(opened, "0.0.0.0").startswith("http://127.0.0.1:")
        assert listener.format_endpoint(opened, "::").startswith("http://[::1]:")


def test_a_taken_port_is_an_error() -> None:
    with listener.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidSetting, match=f"Can't listen on 127.0.0.1 port {port}"):
            listener.listen("127.0.0.1", port, patience_s=0.1)


def test_a_name_that_is_no_address_is_an_error() -> None:
    with pytest.raises(InvalidSetting, match=r"Can't listen on no\.such\.host\.invalid"):
        listener.listen("no.such.host.invalid", 0, patience_s=0)
