"""TLS: a certificate and its key from two files, read again when they change, without a restart."""

import logging
import ssl
import time
from collections.abc import Callable
from pathlib import Path

from sartor.errors import InvalidSetting

CHECK_S = 1.0
"""How often the files are looked at."""

_log = logging.getLogger(__name__)
_Stamp = tuple[int, int, int]


class Certificates:
    """The certificate for new connections. ``refresh``, called often, costs two stats a second."""

    def __init__(
        self, certificate: Path, key: Path, /, *, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Load both files, PEM; the first may hold a chain.

        Raises:
            InvalidSetting: one can't be read, or they don't belong together.
        """
        self._files = (certificate, key)
        self._clock_s = clock_s
        self._due_s = 0.0
        self.context = _create_context()
        try:
            self._stamps = self._read_stamps()
            self._load()
        except (OSError, ssl.SSLError) as error:
            raise InvalidSetting(f"The certificate {certificate} with the key {key}: {error}.") from error

    def refresh(self) -> None:
        """Load the files again if they changed; a pair that does not fit is logged once and not used."""
        now_s = self._clock_s()
        if now_s < self._due_s:
            return
        self._due_s = now_s + CHECK_S
        try:
            stamps = self._read_stamps()
            if stamps == self._stamps:
                return
            self._stamps = stamps
            self._load()
        except (OSError, ssl.SSLError) as error:
            extra = {"action": "certificate_not_loaded"}
            _log.error("The new certificate can't be used; the old one stays: %s", error, extra=extra)
        else:
            _log.info("A new certificate is used from now on.", extra={"action": "certificate_loaded"})

    def _load(self) -> None:
        # On a context of its own first: a pair that does not fit would leave half of it in the one in use.
        _create_context().load_cert_chain(*self._files)
        self.context.load_cert_chain(*self._files)

    def _read_stamps(self) -> list[_Stamp]:
        stats = [path.stat() for path in self._files]
        return [(one.st_mtime_ns, one.st_size, one.st_ino) for one in stats]


def _create_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
