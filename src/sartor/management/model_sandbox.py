"""Converts an imported model in a process of its own, because crafted bytes can crash the engine's reader.

Run as a module, it is that process: the model on its standard input, the learning settings as its argument.
It writes ``+`` and a dump, or ``-`` and an error message, to its standard output.
"""

import subprocess
import sys

from sartor.errors import InvalidModel, SartorError
from sartor.learn.model_import import check_header, convert_model

_TIMEOUT_S = 60.0
_MEMORY_BYTES = 4 << 30
_FILE_BYTES = 1 << 30


def convert_in_sandbox(model: bytes, arguments: str, /, *, timeout_s: float = _TIMEOUT_S) -> bytes:
    """Returns a dump from which training under these arguments continues a model file.

    It blocks for a fraction of a second; a model of many megabytes takes longer.

    Raises:
        InvalidModel: it is no model, does not fit, or crashes the engine's reader.
        InvalidPolicy: the arguments are not accepted.
    """
    check_header(model, arguments)  # cheap, and without the engine's reader
    command = [sys.executable, "-P", "-m", __name__, arguments]
    try:
        child = subprocess.run(command, input=model, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise InvalidModel(f"Reading the model took longer than {timeout_s:.0f} s.") from error
    answer = child.stdout
    if child.returncode or answer[:1] not in (b"+", b"-"):
        raise InvalidModel("The model can't be read: the engine's reader broke down on it.")
    if answer[:1] == b"-":
        raise InvalidModel(answer[1:].decode())
    return answer[1:]


def _limit_resources() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))


def _convert(model: bytes, arguments: str) -> bytes:
    try:
        return b"+" + convert_model(model, arguments)
    except SartorError as error:
        return b"-" + error.message.encode()


if __name__ == "__main__":
    _limit_resources()
    sys.stdout.buffer.write(_convert(sys.stdin.buffer.read(), sys.argv[1]))
