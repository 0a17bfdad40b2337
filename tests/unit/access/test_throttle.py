"""Who tries keys in vain is slowed down; who has a good one is not, and memory has an end."""

from itertools import count

import pytest

from sartor.access.throttle import ADDRESSES, FAILURES, Suspects
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
def suspects(time: Time) -> Suspects:
    return Suspects(clock_s=time)


def failed(suspects: Suspects, address: str, times: int) -> None:
    for _ in range(times):
        guess = b"wrong-%d" % next(_guesses)
        suspects.check(address, guess)
        suspects.failed(address, guess)


def is_refused(suspects: Suspects, address: str, key: bytes = b"key") -> bool:
    try:
        suspects.check(address, key)
    except TooManyRequests:
        return True
    return False


def test_some_failures_are_forgiven(suspects: Suspects) -> None:
    failed(suspects, "a", FAILURES - 1)
    assert not is_refused(suspects, "a")
    failed(suspects, "a", 1)
    assert is_refused(suspects, "a")
    assert not is_refused(suspects, "b")


def test_then_one_guess_a_second(suspects: Suspects, time: Time) -> None:
    failed(suspects, "a", FAILURES)
    guesses = 0
    for _ in range(100):  # ten seconds
        time.now_s += 0.1
        if not is_refused(suspects, "a"):
            suspects.failed("a", b"guess-%d" % guesses)
            guesses += 1
    assert 9 <= guesses <= 10


def test_a_good_key_from_the_same_address_goes_on(suspects: Suspects) -> None:
    failed(suspects, "a", 3)
    suspects.succeeded("a", b"good")
    failed(suspects, "a", FAILURES - 3)
    assert is_refused(suspects, "a", b"unseen")
    assert not is_refused(suspects, "a", b"good")


def test_an_address_that_behaves_again_is_forgotten(suspects: Suspects, time: Time) -> None:
    failed(suspects, "a", FAILURES)
    assert suspects.any
    time.now_s += FAILURES
    suspects.succeeded("a", b"good")
    assert not suspects.any


def test_a_subscriber_of_ipv6_is_one_address(suspects: Suspects) -> None:
    for number in range(FAILURES):
        suspects.failed(f"2001:db8::{number:x}", b"%d" % number)
    assert is_refused(suspects, "2001:db8::ffff")
    assert not is_refused(suspects, "2001:db8:0:1::1")
    assert not is_refused(suspects, "::ffff:192.0.2.1")


def test_memory_has_an_end(suspects: Suspects) -> None:
    failed(suspects, "first", FAILURES)
    for number in range(ADDRESSES):
        suspects.failed(f"10.0.{number // 256}.{number % 256}", b"x")
    assert len(suspects._found) == ADDRESSES
    assert not is_refused(suspects, "first")


def test_a_client_without_an_address_is_nobody(suspects: Suspects) -> None:
    failed(suspects, "", 2 * FAILURES)
    assert not suspects.any


def test_the_same_wrong_key_again_and_again_is_no_guess(suspects: Suspects) -> None:
    for _ in range(10 * FAILURES):
        suspects.check("a", b"old key")
        suspects.failed("a", b"old key")
    assert not is_refused(suspects, "a", b"another")


def test_nobody_is_suspect_for_ever(suspects: Suspects, time: Time) -> None:
    failed(suspects, "a", 3)
    failed(suspects, "b", 1)
    time.now_s += 3
    for _ in range(2):
        suspects.check("c", b"good")
    assert not suspects.any
