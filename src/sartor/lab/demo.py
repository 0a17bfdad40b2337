"""``make demo``: starts a new service, plays the tutorial against it over HTTP, draws the learning curve."""

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

from sartor.access.outgoing import OutgoingSession
from sartor.errors import SartorError, Unavailable
from sartor.lab.play import play_world
from sartor.lab.report import PlayReport

WORLD = "tutorial"
TURNS = 3_000
TURNS_PER_S = 150.0
"""Slower than the service, so that several models serve during the run."""

DATA = Path("demo-data")
CURVE = Path("demo-curve.png")
READY_TIMEOUT_S, STOP_TIMEOUT_S = 30.0, 15.0


def main() -> None:
    """Run the demo in the current folder; its data goes to ``demo-data``, which is deleted first."""
    try:
        run_demo()
    except SartorError as error:
        sys.exit(f"demo: {error.message}")


def run_demo() -> None:
    """Start the service, play the world, stop the service, draw the curve."""
    shutil.rmtree(DATA, ignore_errors=True)
    _print("[bold]1.[/] Starting the service: [cyan]sartor serve --data demo-data[/]")
    with _start_service() as endpoint:
        _run_command("loop", "set", "default", "modelExportFrequency=PT1S")
        key = json.loads(_run_command("loop", "keys", "default", "--json"))["key1"]
        _print(f"[bold]2.[/] Playing the {WORLD} against {endpoint}: {TURNS:,} readers of a news site")
        report = _play(endpoint, key)
        _print("[bold]3.[/] Stopping the service")
    _print_summary(report)


@contextmanager
def _start_service() -> Iterator[str]:
    """Run a service on a free port for the length of the block; yields its endpoint."""
    port = _find_free_port()
    endpoint = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [*_SARTOR, "serve", "--data", str(DATA), "--port", str(port)], stdout=output, stderr=output
        )
        try:
            _wait_until_ready(process, endpoint, output)
            yield endpoint
        finally:
            code = _stop(process)
        if code:
            raise Unavailable(f"The service ended with exit code {code}:\n{_read_tail(output)}")


_SARTOR = (sys.executable, "-m", "sartor")


def _find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _wait_until_ready(process: "subprocess.Popen[bytes]", endpoint: str, output: IO[str]) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Unavailable(f"The service ended with exit code {process.returncode}:\n{_read_tail(output)}")
        if _is_ready(endpoint):
            return
        time.sleep(0.05)
    raise Unavailable(f"The service was not ready within {READY_TIMEOUT_S:.0f} s:\n{_read_tail(output)}")


def _is_ready(endpoint: str) -> bool:
    try:
        return OutgoingSession().get(f"{endpoint}/health/ready", timeout=1.0).status_code == 200
    except requests.RequestException:
        return False


def _stop(process: "subprocess.Popen[bytes]") -> int:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _read_tail(output: IO[str]) -> str:
    output.seek(0)
    return output.read()[-2_000:]


def _run_command(*words: str) -> str:
    done = subprocess.run([*_SARTOR, *words, "--data", str(DATA)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"'sartor {' '.join(words)}' failed:\n{done.stderr}")
    return done.stdout


def _play(endpoint: str, key: str) -> PlayReport:
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


def _print_summary(report: PlayReport) -> None:
    from sartor.lab.plot import draw_curve

    first, last, reference = report.first_quarter, report.last_quarter, report.reference
    rows = (
        ("Sartor, first quarter of the readers", first.share_positive),
        ("Sartor, last quarter of the readers", last.share_positive),
        ("random choices", reference.random),
        ("the best choice without looking at the reader", reference.best_fixed),
        ("the best possible policy", reference.best),
    )
    _print("\n[bold]Share of positive rewards (clicks)[/]")
    for name, share in rows:
        _print(f"  {name:<46} {share:6.1%}")
    path = draw_curve(report, CURVE).resolve()
    _print(f"\nThe learning curve is in [bold]{path}[/]; the log and the models are in {DATA}{os.sep}.")


def _print(text: str) -> None:
    from rich.console import Console

    Console(soft_wrap=True, highlight=False).print(text)


if __name__ == "__main__":
    main()
