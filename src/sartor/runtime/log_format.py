"""Formats log records: one line each on standard error, a sentence and ``name=value`` pairs, or JSON.

For example ``2026-03-01T10:00:00.123Z INFO learn[4711] A model went live. action=published loop=default``.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sartor.runtime.visible_text import escape_line

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class _Line(logging.Formatter):
    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = f"{role}[{os.getpid()}]"

    def format(self, record: logging.LogRecord) -> str:
        """Returns the record on one line."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        pairs = [f"{name}={value}" for name, value in vars(record).items() if name not in _PLAIN]
        if record.exc_info and record.exc_info[1] is not None:
            pairs.append(f"trace={self.formatException(record.exc_info)!r}")
        sentence = record.getMessage()
        parts = [f"{stamp}.{int(record.msecs):03d}Z", record.levelname, self._role, sentence, *pairs]
        return escape_line(" ".join(parts).replace("\n", " "))


class _JsonLine(logging.Formatter):
    def __init__(self, role: str) -> None:
        super().__init__()
        self._process = f"{role}[{os.getpid()}]"

    def format(self, record: logging.LogRecord) -> str:
        """Returns the record as a JSON object on one line."""
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "process": self._process,
            "message": record.getMessage(),
        }
        fields |= {name: value for name, value in vars(record).items() if name not in _PLAIN}
        if record.exc_info and record.exc_info[1] is not None:
            fields["trace"] = self.formatException(record.exc_info)
        return escape_line(json.dumps(fields, default=str))


class _WholeLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Returns the message, which is JSON, on one line."""
        return escape_line(record.getMessage())


def line_writer() -> Callable[[str], None]:
    """Returns a function that writes a whole line to standard error, beside the records."""
    logger = logging.getLogger("sartor.lines")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_WholeLine())
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(logging.INFO)
    return logger.info


def start(role: str, /, *, level: int = logging.INFO, as_json: bool = False) -> None:
    """Write the log records of this process to standard error, under the name of its role."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLine(role) if as_json else _Line(role))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # its warnings hold whole URLs, with their signatures
