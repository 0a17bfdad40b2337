"""``make demo``: a fresh service, the tutorial against it over HTTP, a learning curve, and a clean end."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import requests

from sartor.errors import SartorError, Unavailable
from sartor.lab.play import play_world
from sartor.lab.report import PlayReport

WORLD = "tutorial"
TURNS = 3_000
TURNS_PER_S = 150.0
"""As fast as it can, the game would be over before the second model serves."""

DATA = Path("demo-data")
CURVE = Path("demo-curve.png")
READY_S, END_S = 30.0, 15.0


def main() -> None:
    """Run the demo in the current folder; its data goes to ``demo-data``, made afresh."""
    try:
        play()
    except SartorError as error:
        sys.exit(f"demo: {error.message}")


def play() -> None:
    """Start the service, play, draw, stop."""
    shutil.rmtree(DATA, ignore_errors=True)
    _say("[bold]1.[/] Starting the service: [cyan]sartor serve --data demo-data[/]")
    with _service() as endpoint:
        _command("loop", "set", "default", "modelExportFrequency=PT1S")
        key = json.loads(_command("loop", "keys", "default", "--json"))["key1"]
        _say(f"[bold]2.[/] Playing the {WORLD} against {endpoint}: {TURNS:,} readers of a news site")
        report = _played(endpoint, key)
        _say("[bold]3.[/] Stopping the service")
    _tell(report)


@contextmanager
def _service() -> Iterator[str]:
    """A service on a free port; gives its endpoint when it is ready."""
    port = _free_port()
    endpoint = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [*_SARTOR, "serve", "--data", str(DATA), "--port", str(port)], stdout=said, stderr=said
        )
        try:
            _wait(process, endpoint, said)
            yield endpoint
        finally:
            code = _stop(process)
        if code:
            raise Unavailable(f"The service ended with exit code {code}:\n{_tail(said)}")


_SARTOR = (sys.executable, "-m", "sartor")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _wait(process: "subprocess.Popen[bytes]", endpoint: str, said: IO[str]) -> None:
    give_up = time.monotonic() + READY_S
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise Unavailable(f"The service ended with exit code {process.returncode}:\n{_tail(said)}")
        if _ready(endpoint):
            return
        time.sleep(0.05)
    raise Unavailable(f"The service was not ready within {READY_S:.0f} s:\n{_tail(said)}")


def _ready(endpoint: str) -> bool:
    try:
        return requests.get(f"{endpoint}/health/ready", timeout=1.0).ok
    except requests.RequestException:
        return False


def _stop(process: "subprocess.Popen[bytes]") -> int:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _tail(said: IO[str]) -> str:
    said.seek(0)
    return said.read()[-2_000:]


def _command(*words: str) -> str:
    done = subprocess.run([*_SARTOR, *words, "--data", str(DATA)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"'sartor {' '.join(words)}' failed:\n{done.stderr}")
    return done.stdout


def _played(endpoint: str, key: str) -> PlayReport:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    clicks = 0
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns) as progress:
        task = progress.add_task("", total=TURNS)

        def advance(clicked: bool) -> None:
            nonlocal clicks
            clicks += clicked
            progress.update(task, advance=1, description=f"{clicks:,} clicks")

        return play_world(
            WORLD,
            endpoint=endpoint,
            key=key,
            iterations=TURNS,
            turns_per_s=TURNS_PER_S,
            progress=lambda turn: advance(turn.reward > 0),
        )


def _tell(report: PlayReport) -> None:
    from sartor.lab.plot import draw_curve

    first, last, reference = report.first_quarter, report.last_quarter, report.reference
    rows = (
        ("Sartor, first quarter of the readers", first.share_positive),
        ("Sartor, last quarter of the readers", last.share_positive),
        ("random choices", reference.random),
        ("the best choice without looking at the reader", reference.best_fixed),
        ("the best possible policy", reference.best),
    )
    _say("\n[bold]Share of positive rewards (clicks)[/]")
    for name, share in rows:
        _say(f"  {name:<46} {share:6.1%}")
    path = draw_curve(report, CURVE).resolve()
    _say(f"\nThe learning curve is in [bold]{path}[/]; the log and the models are in {DATA}{os.sep}.")


def _say(text: str) -> None:
    from rich.console import Console

    Console(soft_wrap=True, highlight=False).print(text)


if __name__ == "__main__":
    main()
