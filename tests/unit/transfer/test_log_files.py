"""The files of a saved log and their lines."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import pytest

from sartor.errors import LocationUnavailable
from sartor.transfer import log_files
from sartor.transfer.locations import File
from sartor.transfer.open_location import open_location


def lines_of(path: Path) -> list[bytes | None]:
    there = open_location(str(path))
    (file,) = there.files()
    reading = log_files.LogFileReader(there, file)
    found = list(reading.lines())
    assert reading.read_bytes == path.stat().st_size
    return found


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(b"a\nb\n", [b"a", b"b"], id="lines"),
        pytest.param(b"a\nb", [b"a", b"b"], id="no end at the end"),
        pytest.param(b"a\r\n\nb\n", [b"a\r", b"", b"b"], id="other ends, and none between"),
    ],
)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_lines(content: bytes, lines: Sequence[bytes], packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(gzip.compress(content) if packed else content)
    assert lines_of(path) == lines


def test_lines_are_whole_where_chunks_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "_CHUNK", 3)
    (tmp_path / "log").write_bytes(b"abcdef\ng\nhi\njkl\n\nm")
    assert lines_of(tmp_path / "log") == [b"abcdef", b"g", b"hi", b"jkl", b"", b"m"]
    (tmp_path / "packed").write_bytes(gzip.compress(b"abcdef\ng\n") + gzip.compress(b"hi\njkl\n"))
    assert lines_of(tmp_path / "packed") == [b"abcdef", b"g", b"hi", b"jkl"]


def test_a_line_without_an_end_takes_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "_CHUNK", 3)
    monkeypatch.setattr(log_files, "LONGEST_LINE", 5)
    (tmp_path / "log").write_bytes(b"ab\ncdefghijklmnop\nqr\n" + b"x" * 20)
    assert lines_of(tmp_path / "log") == [b"ab", None, b"qr", None]


def test_the_longest_line_is_still_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "LONGEST_LINE", 5)
    (tmp_path / "log").write_bytes(b"abcde\nabcdef\nabcdef")
    assert lines_of(tmp_path / "log") == [b"abcde", None, None]


def test_a_packed_file_that_was_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(b"one\n" * 10_000)[:-20])
    with pytest.raises(LocationUnavailable, match="read to its end: it was cut short"):
        lines_of(path)


def test_a_packed_file_that_is_damaged(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"one\n" * 100))
    packed[15] ^= 255
    (tmp_path / "log.gz").write_bytes(packed)
    with pytest.raises(LocationUnavailable, match="read to its end"):
        lines_of(tmp_path / "log.gz")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("20220901002047/data/2022/09/01_0000000000.json", None),
        ("20220901002047/data/2022/09/01_0000000000_13.json", None),
        ("log.dsjson.gz", None),
        ("log", None),
        ("20220901002047/data/2022/09/01_0000000000.fb", "binary"),
        ("20220901002047/skipped-data/2022/09/01_0000000000.json", "too late"),
        ("20220901002047/checkpoint/storage-checkpoint.json", "checkpoint"),
        ("20220901002047/checkpoint/current.dat", "checkpoint"),
        ("exported-models/current", "--model"),
        ("settings/policy.json", "--policy"),
        ("model.vw.zip", "--model"),
        ("data/.DS_Store", "hidden"),
    ],
)
def test_what_can_be_a_log(path: str, reason: str | None) -> None:
    found = log_files.reject_reason(File(path, 1))
    assert (found is None) is (reason is None)
    assert reason is None or reason in str(found)
