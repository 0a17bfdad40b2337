"""Who tries wrong keys is slowed down, by address and by what the keys begin with; memory is fixed."""

import gc
import logging
import secrets
import tracemalloc
from itertools import count

import pytest

from sartor.access.throttle import FAILURES, PREFIX_FAILURES, FailedAuthThrottle
from sartor.errors import TooManyRequests

_guesses = count()


class Time:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def throttle(time: Time) -> FailedAuthThrottle:
    return FailedAuthThrottle(clock_s=time)


def guess() -> bytes:
    """A wrong key that begins like no other one."""
    return b"%04x-wrong" % next(_guesses)


def is_refused(throttle: FailedAuthThrottle, address: str, key: bytes | None = None) -> bool:
    try:
        throttle.record_wrong_key(address, guess() if key is None else key)
    except TooManyRequests:
        return True
    return False


def tried(throttle: FailedAuthThrottle, address: str, times: int) -> int:
    """How many of so many guesses from an address are looked at."""
    return sum(not is_refused(throttle, address) for _ in range(times))


def test_some_failures_are_forgiven(throttle: FailedAuthThrottle) -> None:
    assert tried(throttle, "192.0.2.1", 10 * FAILURES) == FAILURES
    assert not is_refused(throttle, "192.0.2.2")


def test_then_one_guess_a_second(throttle: FailedAuthThrottle, time: Time) -> None:
    tried(throttle, "192.0.2.1", FAILURES)
    guesses = 0
    for _ in range(100):  # ten seconds
        time.now_s += 0.1
        guesses += not is_refused(throttle, "192.0.2.1")
    assert 9 <= guesses <= 10


def test_when_to_come_again(throttle: FailedAuthThrottle, time: Time) -> None:
    tried(throttle, "192.0.2.1", FAILURES)
    with pytest.raises(TooManyRequests) as refusal:
        throttle.record_wrong_key("192.0.2.1", guess())
    time.now_s += refusal.value.retry_after_s
    assert not is_refused(throttle, "192.0.2.1")


def test_a_subscriber_of_ipv6_is_one_address(throttle: FailedAuthThrottle) -> None:
    assert sum(not is_refused(throttle, f"2001:db8::{number:x}") for number in range(100)) == FAILURES
    assert not is_refused(throttle, "2001:db8:0:1::1")
    assert not is_refused(throttle, "::ffff:192.0.2.1")
    assert tried(throttle, "192.0.2.1", 100) == FAILURES - 1, "an IPv4 address in IPv6 is that address"


def test_many_addresses_that_try_the_same_beginning(throttle: FailedAuthThrottle, time: Time) -> None:
    def spray(first: int) -> int:
        return sum(
            not is_refused(
                throttle, f"10.{first}.{number // 256}.{number % 256}", b"abcd-%d-%d" % (first, number)
            )
            for number in range(1_000)
        )

    assert spray(1) == PREFIX_FAILURES
    time.now_s += 2
    assert 9 <= spray(2) <= 10, "five a second"
    assert not is_refused(throttle, "10.1.0.1", b"abce-another")


def test_one_address_does_not_use_up_a_beginning(throttle: FailedAuthThrottle) -> None:
    for number in range(1_000):
        is_refused(throttle, "192.0.2.1", b"abcd%d" % number)
    assert not is_refused(throttle, "192.0.2.2", b"abcd-of another")


def test_memory_is_fixed(throttle: FailedAuthThrottle) -> None:
    def crowd(first: int) -> None:
        for number in range(first, first + 20_000):
            address = f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1"
            is_refused(throttle, address, secrets.token_hex(16).encode())

    crowd(0)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        crowd(20_000)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 16_384


def test_what_came_before_a_crowd_is_not_forgotten(throttle: FailedAuthThrottle) -> None:
    tried(throttle, "192.0.2.1", FAILURES)
    for number in range(20_000):
        is_refused(throttle, f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1", b"%x-wrong" % number)
    assert tried(throttle, "192.0.2.1", 100) == 0


def test_a_client_without_an_address_is_nobody(throttle: FailedAuthThrottle) -> None:
    assert tried(throttle, "", 10 * FAILURES) == 10 * FAILURES


def test_the_same_wrong_key_again_and_again_is_no_guess(throttle: FailedAuthThrottle) -> None:
    """An application that goes on with a key that was replaced is told so, and costs nobody's attempts."""
    for number in range(10 * FAILURES):
        assert not is_refused(throttle, f"192.0.2.{number % 5}", b"old key")
    assert tried(throttle, "192.0.2.0", 100) == FAILURES - 1
    assert not is_refused(throttle, "192.0.2.0", b"old key"), "not even beside somebody who guesses"


def test_tokens_all_begin_alike(throttle: FailedAuthThrottle) -> None:
    for number in range(10 * PREFIX_FAILURES):
        throttle.record_wrong_token(f"10.0.{number // 256}.{number % 256}", b"eyJhbGciOi-%d" % number)


def test_a_flood_leaves_few_lines(
    throttle: FailedAuthThrottle, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for number in range(1_000):
            is_refused(throttle, "192.0.2.1")
            time.now_s += 0.0 if number else 100.0
        assert len(caplog.records) == 1
        time.now_s += 10.5
        for _ in range(FAILURES):
            is_refused(throttle, "192.0.2.1")
    assert len(caplog.records) == 2
    first, second = (vars(record) for record in caplog.records)
    assert (first["refused"], first["address"]) == (1, "192.0.2.1")
    assert second["refused"] > 900
