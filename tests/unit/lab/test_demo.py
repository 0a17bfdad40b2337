import sys
from pathlib import Path

import pytest

from sartor.errors import Unavailable
from sartor.lab import demo


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def replace_sartor(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Run another program instead of ``sartor``."""
    monkeypatch.setattr(demo, "_SARTOR", (sys.executable, "-c", program))


def test_a_service_that_does_not_start_is_an_error_with_its_output(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_sartor(monkeypatch, "import sys; sys.exit('no room on the disk')")
    with pytest.raises(Unavailable, match=r"exit code 1:\nno room on the disk"):
        demo.run_demo()


def test_a_service_that_is_never_ready_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_sartor(monkeypatch, "import time; time.sleep(60)")
    monkeypatch.setattr(demo, "READY_TIMEOUT_S", 0.3)
    with pytest.raises(Unavailable, match="was not ready within"):
        demo.run_demo()


def test_a_failed_demo_exits_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replace_sartor(monkeypatch, "raise SystemExit(3)")
    with pytest.raises(SystemExit, match="demo: The service ended with exit code 3"):
        demo.main()


def test_the_data_of_an_earlier_demo_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_sartor(monkeypatch, "raise SystemExit(3)")
    demo.DATA.mkdir()
    demo.DATA.joinpath("old").touch()
    with pytest.raises(Unavailable):
        demo.run_demo()
    assert not demo.DATA.joinpath("old").exists()


def test_a_command_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_sartor(monkeypatch, "import sys; sys.exit('no such loop')")
    with pytest.raises(Unavailable, match=r"'sartor loop keys default' failed:\nno such loop"):
        demo._run_command("loop", "keys", "default")


def test_a_service_that_will_not_stop_is_killed_and_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replace_sartor(
        monkeypatch,
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open('up', 'w'); time.sleep(60)",
    )
    monkeypatch.setattr(demo, "STOP_TIMEOUT_S", 0.2)
    monkeypatch.setattr(demo, "_is_ready", lambda _: Path("up").exists())
    with pytest.raises(Unavailable, match="exit code -9"), demo._start_service():
        pass
