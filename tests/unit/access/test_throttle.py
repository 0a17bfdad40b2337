"""Who tries keys in vain is slowed down; who has a good one is not, and memory has an end."""

from itertools import count

import pytest

from sartor.access.throttle import ADDRESSES, FAILURES, FailedAuthThrottle
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


def failed(throttle: FailedAuthThrottle, address: str, times: int) -> None:
    for _ in range(times):
        guess = b"wrong-%d" % next(_guesses)
        throttle.check(address, guess)
        throttle.record_failure(address, guess)


def is_refused(throttle: FailedAuthThrottle, address: str, key: bytes = b"key") -> bool:
    try:
        throttle.check(address, key)
    except TooManyRequests:
        return True
    return False


def test_some_failures_are_forgiven(throttle: FailedAuthThrottle) -> None:
    failed(throttle, "a", FAILURES - 1)
    assert not is_refused(throttle, "a")
    failed(throttle, "a", 1)
    assert is_refused(throttle, "a")
    assert not is_refused(throttle, "b")


def test_then_one_guess_a_second(throttle: FailedAuthThrottle, time: Time) -> None:
    failed(throttle, "a", FAILURES)
    guesses = 0
    for _ in range(100):  # ten seconds
        time.now_s += 0.1
        if not is_refused(throttle, "a"):
            throttle.record_failure("a", b"guess-%d" % guesses)
            guesses += 1
    assert 9 <= guesses <= 10


def test_a_good_key_from_the_same_address_goes_on(throttle: FailedAuthThrottle) -> None:
    failed(throttle, "a", 3)
    throttle.record_success("a", b"good")
    failed(throttle, "a", FAILURES - 3)
    assert is_refused(throttle, "a", b"unseen")
    assert not is_refused(throttle, "a", b"good")


def test_an_address_that_behaves_again_is_forgotten(throttle: FailedAuthThrottle, time: Time) -> None:
    failed(throttle, "a", FAILURES)
    assert throttle.is_active
    time.now_s += FAILURES
    throttle.record_success("a", b"good")
    assert not throttle.is_active


def test_a_subscriber_of_ipv6_is_one_address(throttle: FailedAuthThrottle) -> None:
    for number in range(FAILURES):
        throttle.record_failure(f"2001:db8::{number:x}", b"%d" % number)
    assert is_refused(throttle, "2001:db8::ffff")
    assert not is_refused(throttle, "2001:db8:0:1::1")
    assert not is_refused(throttle, "::ffff:192.0.2.1")


def test_memory_has_an_end(throttle: FailedAuthThrottle) -> None:
    failed(throttle, "first", FAILURES)
    for number in range(ADDRESSES):
        throttle.record_failure(f"10.0.{number // 256}.{number % 256}", b"x")
    assert len(throttle._addresses) == ADDRESSES
    assert not is_refused(throttle, "first")


def test_a_client_without_an_address_is_nobody(throttle: FailedAuthThrottle) -> None:
    failed(throttle, "", 2 * FAILURES)
    assert not throttle.is_active


def test_the_same_wrong_key_again_and_again_is_no_guess(throttle: FailedAuthThrottle) -> None:
    for _ in range(10 * FAILURES):
        throttle.check("a", b"old key")
        throttle.record_failure("a", b"old key")
    assert not is_refused(throttle, "a", b"another")


def test_nobody_is_suspect_for_ever(throttle: FailedAuthThrottle, time: Time) -> None:
    failed(throttle, "a", 3)
    failed(throttle, "b", 1)
    time.now_s += 3
    for _ in range(2):
        throttle.check("c", b"good")
    assert not throttle.is_active
