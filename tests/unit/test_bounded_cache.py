"""What callers send is remembered only as far as a number of entries and of bytes goes."""

from sartor.bounded_cache import BoundedCache


def test_what_was_put_is_found_and_what_was_not_is_none() -> None:
    cache: BoundedCache[int] = BoundedCache()
    assert cache.put(b"a", 0) == 0
    assert (cache.get(b"a"), cache.get(b"b")) == (0, None)


def test_the_bytes_of_all_keys_are_bounded() -> None:
    cache: BoundedCache[int] = BoundedCache(key_bytes=100)
    for number in range(50):
        cache.put(b"%020d" % number, number)
        assert sum(20 for one in range(50) if cache.get(b"%020d" % one) is not None) <= 100
    assert cache.get(b"%020d" % 49) == 49


def test_the_entries_are_bounded() -> None:
    cache: BoundedCache[int] = BoundedCache(entries=3)
    for number in range(10):
        cache.put(b"%d" % number, number)
    assert sum(cache.get(b"%d" % number) is not None for number in range(10)) <= 3


def test_a_key_that_is_too_long_pushes_nothing_out() -> None:
    cache: BoundedCache[int] = BoundedCache(key_bytes=10)
    cache.put(b"a", 1)
    assert cache.put(bytes(11), 2) == 2
    assert (cache.get(bytes(11)), cache.get(b"a")) == (None, 1)
