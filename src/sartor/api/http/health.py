"""Health: is this process alive, and could it answer a rank now?"""

from collections.abc import Callable, Sequence

import msgspec

from sartor.api.http.error_responses import RETRY_AFTER_S
from sartor.api.http.response import Response

FRESH_S = 0.5
"""How long the result of a probe is used, in seconds: it writes to the disk, and anyone may ask."""

_encode = msgspec.json.Encoder().encode
_LIVE = Response(200, b'{"status":"live"}')
_READY = Response(200, b'{"status":"ready"}')


class HealthProbe:
    """Answers the health routes. ``probe`` gives the reasons why this process is not ready: none when it is."""

    def __init__(self, probe: Callable[[], Sequence[str]], /, *, clock_s: Callable[[], float]) -> None:
        self._probe = probe
        self._clock_s = clock_s
        self._probed_s = float("-inf")
        self._reasons: Sequence[str] = ()

    def live(self) -> Response:
        """Answer that the process runs: it could not answer otherwise."""
        return _LIVE

    def ready(self) -> Response:
        """Answer whether events can be written and a model, or the uniform start, serves; if not, with 503."""
        reasons = self._find_reasons()
        if not reasons:
            return _READY
        error = {"code": "OperationNotAllowed", "message": " ".join(reasons)}
        body = _encode({"status": "unready", "reasons": list(reasons), "error": error})
        retry_after = (b"retry-after", b"%d" % RETRY_AFTER_S)
        return Response(503, body, ((b"x-ms-error-code", b"OperationNotAllowed"), retry_after))

    def _find_reasons(self) -> Sequence[str]:
        now_s = self._clock_s()
        if now_s - self._probed_s >= FRESH_S:
            self._reasons = self._probe()
            self._probed_s = now_s
        return self._reasons
