"""Converts a model in a process of its own, because crafted bytes can crash the engine's reader.

Run as a module, it is that process: the model on its standard input, the learning settings as its argument.
It writes ``+`` and a dump, or ``-`` and an error message, to its standard output. It gets no secret of the
service, and ends when it uses too much; where the kernel can, it writes in the folder that it was given only.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from sartor.errors import InvalidModel, Overloaded, SartorError, StoreUnavailable
from sartor.learn.dumps import check_fit, export_file
from sartor.learn.model_file import HEADER_BYTES
from sartor.learn.model_import import convert_model
from sartor.management.confinement import confine_writes

_TIMEOUT_S = 60.0
_MEMORY_BYTES = 4 << 30
_FILE_BYTES = 1 << 30
_OPEN_FILES = 64

_TRIALS = threading.BoundedSemaphore(2)
"""How many models this process tries at a time: each takes the memory of its weights."""


def convert_in_sandbox(model: bytes, arguments: str, /, *, timeout_s: float = _TIMEOUT_S) -> bytes:
    """Returns a dump from which training under these arguments continues a model file.

    It blocks for a fraction of a second; a model of many megabytes takes longer.

    Raises:
        InvalidModel: it is no model, does not fit, or crashes the engine's reader.
        InvalidPolicy: the arguments are not accepted.
        Overloaded: other models are being tried, and it would wait too long.
        StoreUnavailable: there is no room in the temporary folder.
    """
    return convert_parts(lambda: (model,), arguments, timeout_s=timeout_s)


def convert_parts(
    parts: Callable[[], Iterable[bytes]], arguments: str, /, *, timeout_s: float = _TIMEOUT_S
) -> bytes:
    """Does what ``convert_in_sandbox`` does, of a model that comes in parts, each time from its beginning."""
    check_fit(_take_start(parts()), arguments)  # cheap, and without the engine's reader
    if not _TRIALS.acquire(timeout=timeout_s):
        raise Overloaded("Other models are being checked; try again later.")
    try:
        answer = _run_child(parts(), arguments, timeout_s)
    finally:
        _TRIALS.release()
    if answer[:1] == b"-":
        raise InvalidModel(answer[1:].decode())
    return answer[1:]


def _take_start(parts: Iterable[bytes]) -> bytes:
    start = b""
    for part in parts:
        start += part
        if len(start) >= HEADER_BYTES:
            break
    return start


def convert_dump(blob: bytes, arguments: str, /) -> bytes:
    """Returns the dump that the engine makes of another dump, whose origin is not certain.

    Raises:
        Corrupt: it is no dump.
        InvalidModel, InvalidPolicy, StoreUnavailable: see ``convert_in_sandbox``.
    """
    return convert_in_sandbox(export_file(blob).content, arguments)


def _run_child(parts: Iterable[bytes], arguments: str, timeout_s: float) -> bytes:
    """What the child answered. Its output is a file, whose size has a limit as all that it writes has."""
    try:
        with (
            TemporaryDirectory(prefix="sartor-trial-") as folder,
            TemporaryFile() as model,
            TemporaryFile() as output,
        ):
            model.writelines(parts)
            model.seek(0)
            code = _start_child(model.fileno(), [arguments, folder], output.fileno(), timeout_s)
            output.seek(0)
            answer = output.read()
    except OSError as error:
        raise StoreUnavailable(f"There is no room for a model in the temporary folder: {error}.") from error
    if code or answer[:1] not in (b"+", b"-"):
        raise InvalidModel("The model can't be read: the engine's reader broke down on it.")
    return answer


def _start_child(model: int, arguments: list[str], output: int, timeout_s: float) -> int:
    packages = os.pathsep.join(folder for folder in sys.path if folder)
    try:
        return subprocess.run(
            [sys.executable, "-P", "-B", "-m", __name__, *arguments],
            stdin=model,
            stdout=output,
            stderr=subprocess.DEVNULL,
            timeout=timeout_s,
            check=False,
            cwd=arguments[1],
            env={"PYTHONPATH": packages, "TMPDIR": arguments[1]},
        ).returncode
    except subprocess.TimeoutExpired as error:
        raise InvalidModel(f"Reading the model took longer than {timeout_s:.0f} s.") from error


def _limit_resources(folder: Path) -> None:
    import resource

    for limit, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_CPU, round(_TIMEOUT_S)),
        (resource.RLIMIT_FSIZE, _FILE_BYTES),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        resource.setrlimit(limit, (most, most))
    confine_writes(folder)


def _convert(model: bytes, arguments: str) -> bytes:
    try:
        return b"+" + convert_model(model, arguments)
    except SartorError as error:
        return b"-" + error.message.encode()


if __name__ == "__main__":
    _limit_resources(Path(sys.argv[2]))
    sys.stdout.buffer.write(_convert(sys.stdin.buffer.read(), sys.argv[1]))
