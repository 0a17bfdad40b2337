"""A loop moves: its exported log, imported elsewhere, gives the same model and the same decisions."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.acceptance.service import SARTOR, Service, eventually
from tests.unit.transfer import saved

QUICK = ("rewardWaitTime=PT2S", "modelExportFrequency=PT1S")


@contextmanager
def service(folder: Path) -> Iterator[Service]:
    made = Service(folder)
    try:
        yield made
    finally:
        made.end()


def play(running: Service, count: int) -> None:
    """Ranks, most of them rewarded for sports on a mobile; some twice."""
    client = running.client()
    for number in range(count):
        device = ("mobile", "desktop")[number % 2]
        status, answer = client.rank(f"event-{number}", device=device, hour=number % 24)
        assert status == 201
        value = float((answer["rewardActionId"] == "sports") is (device == "mobile"))
        if number % 5:
            assert client.reward(f"event-{number}", value) == 204
        if number % 7 == 0:
            assert client.reward(f"event-{number}", -1.0) == 204
    client.close()


def decisions(running: Service) -> list[tuple[object, object]]:
    """What it decides on events that it has not seen."""
    client = running.client()
    answers = [client.rank(f"new-{number}", device=("mobile", "desktop")[number % 2]) for number in range(60)]
    client.close()
    assert {status for status, _ in answers} == {201}
    return [(answer["ranking"], answer["rewardActionId"]) for _, answer in answers]


def all_is_learned(running: Service) -> bool:
    counts = running.json("loop", "show", "default")["counts"]
    live = next(iter(running.json("loop", "models", "default")), None)
    return (
        counts["outcomes"] == counts["decisions"]
        and live is not None
        and live["live"]
        and live["lastOutcome"] == counts["outcomes"]
    )


def lines(folder: Path) -> bytes:
    """What a mirror holds, blob after blob."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*.json")))


@pytest.mark.timeout(120)
def test_a_moved_loop_decides_as_it_did(tmp_path: Path) -> None:
    there, log = tmp_path / "mirror", tmp_path / "log.dsjson"
    with service(tmp_path / "old") as old, service(tmp_path / "new") as new:
        old.start()
        old.set(*QUICK, "logMirrorEnabled=true", f"logMirrorSasUri={there}")
        play(old, 250)
        old.kill("work")
        play(old, 250)
        eventually(lambda: all_is_learned(old), "all is learned")
        old.kill("work")
        old.run("export", "default", "--output", str(log))
        eventually(lambda: lines(there) == log.read_bytes(), "the mirror holds the log")
        assert old.json("loop", "show", "default")["mirror"]["problem"] == ""

        loop_id = old.json("loop", "show", "default")["loopId"]
        new.run("loop", "create", "default", "--id", loop_id)
        new.set(*QUICK)
        moved = new.json("import", "default", "--from", str(there))
        assert moved["logs"]["taken"] == {"single-slot": 500}
        assert moved["learned"] == 500
        assert new.run("export", "default").stdout.encode() == log.read_bytes()
        assert new.json("doctor", "--replay")["healthy"] is True
        new.start()
        assert decisions(new) == decisions(old)


@pytest.mark.timeout(120)
def test_an_import_that_is_killed_takes_each_decision_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(saved.log(0, 20_000))
    with service(tmp_path / "data") as empty:
        empty.run("loop", "create", "default")
        events = empty.folder / "loops" / "default" / "events.sqlite-wal"
        for size in (100_000, 1_500_000):
            command = [*SARTOR, "import", "default", "--from", str(log), "--data", str(empty.folder)]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as importing:
                eventually(partial(_is_larger, events, size), "something was written")
                importing.kill()
        moved = empty.json("import", "default", "--from", str(log))
        taken, repeated = moved["logs"]["taken"]["single-slot"], moved["logs"]["skipped"]["repeated"]["lines"]
        assert 0 < taken < 20_000
        assert taken + repeated == 20_000
        assert empty.run("export", "default").stdout.encode() == log.read_bytes()
        report = empty.json("doctor", "--replay")
        assert report["healthy"] is True
        assert report["loops"][0]["counts"]["learnable"] == 20_000


def _is_larger(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size > size


@pytest.mark.timeout(120)
def test_a_service_goes_on_while_history_comes_in(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(saved.log(0, 8_000))
    with service(tmp_path / "data") as running:
        running.start()
        running.set(*QUICK)
        client = running.client()
        command = [*SARTOR, "import", "default", "--from", str(log), "--json", "--data", str(running.folder)]
        longest_s, ranks = 0.0, 0
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as importing:
            while importing.poll() is None:
                began_s = time.monotonic()
                assert client.rank(f"live-{ranks}", device="mobile")[0] == 201
                assert client.reward(f"live-{ranks}", 1.0) == 204
                longest_s, ranks = max(longest_s, time.monotonic() - began_s), ranks + 1
            assert importing.stdout is not None
            moved = json.loads(importing.stdout.read())
        client.close()
        assert (moved["pending"], moved["learned"]) == (False, None)
        assert ranks > 20
        assert longest_s < 1.0
        eventually(lambda: all_is_learned(running), "all is learned", within_s=20)
        counts = running.json("loop", "show", "default")["counts"]
        assert counts["decisions"] == 8_000 + ranks
        assert running.json("doctor", "--replay")["healthy"] is True
