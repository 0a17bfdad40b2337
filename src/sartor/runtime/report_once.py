"""Logs a failure that repeats once, until its reason changes or it is over."""

import logging

from sartor.errors import SartorError
from sartor.problems import Problem, strip_folders

_log = logging.getLogger(__name__)


class ReportOnce:
    """The last failure of something that is done again and again.

    Attributes:
        subject: what is done, for the log: ``Housekeeping``.
        action: the name of the failure in structured logs: ``housekeeping_failed``.
        reason: why the last attempt failed; empty when it succeeded.
    """

    def __init__(self, subject: str, /, *, action: str) -> None:
        self.subject = subject
        self.action = action
        self.reason = ""

    def note_failure(self, error: Exception, /) -> None:
        """Log why an attempt failed, unless the one before failed for the same reason."""
        reason = error.message if isinstance(error, SartorError) else f"{type(error).__name__}: {error}"
        if reason == self.reason:
            return
        self.reason = reason
        unforeseen = None if isinstance(error, SartorError) else error
        _log.error("%s: %s", self.subject, reason, exc_info=unforeseen, extra={"action": self.action})

    def find_problems(self, *, fatal: bool = True) -> list[Problem]:
        """The last failure as a problem of the process; none while it succeeds."""
        if not self.reason:
            return []
        message = f"{self.subject}: {strip_folders(self.reason)}"
        return [Problem(message, action=self.action, fatal=fatal)]

    def note_success(self) -> None:
        """An attempt succeeded; logged after a failure."""
        if self.reason:
            _log.info("%s: recovered.", self.subject, extra={"action": f"{self.action}_over"})
        self.reason = ""
