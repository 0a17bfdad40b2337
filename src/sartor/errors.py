"""Every error that Sartor raises on purpose, one tree; the docstring is the default message.

    SartorError
    ├── CallerError                 the caller must change something
    │   ├── InvalidRequest          a body, an id, a value on the wire
    │   ├── PayloadTooLarge
    │   ├── InvalidSetting
    │   ├── DestinationRefused      a URL that this instance does not let callers name
    │   ├── InvalidPolicy
    │   ├── InvalidColumns          numbers that an estimator can't use
    │   ├── LoopNotFound
    │   │   └── LoopDeleted         while it was in use
    │   ├── LoopExists
    │   ├── EventNotFound
    │   ├── ModelNotFound
    │   ├── ModelInUse
    │   ├── JobNotFound
    │   ├── JobExists
    │   ├── JobNotFinished
    │   ├── PolicyNotFound
    │   ├── InvalidModel
    │   ├── InvalidSignature
    │   ├── ForeignBackup           this instance did not write it
    │   ├── InvalidEvaluation
    │   │   ├── TooManyPolicies
    │   │   ├── DuplicateNames
    │   │   └── NoLogsInRange
    │   ├── LoopLocked              locked against this by its owner
    │   ├── EventOpen               it is not settled yet
    │   ├── InvalidReceipt
    │   └── DataFolderInUse
    ├── Unauthorized                no key or token, or not one of ours
    ├── Forbidden                   known, but not for this, or not from there
    ├── TooManyRequests             a quota is used up; wait
    │   └── QueueFull
    ├── EngineRefused               the policy can't rank or learn this request
    ├── Unavailable                 try again later; nothing was written
    │   ├── StoreUnavailable
    │   ├── LoopUnavailable         one loop can't be opened; the others serve
    │   ├── LocationUnavailable     a folder or URL outside the data folder
    │   └── Overloaded
    └── Corrupt                     bytes on disk that can't be what we wrote

Adapters translate what lies below them with ``raise … from``. Only ``api/`` knows status codes.
"""


class SartorError(Exception):
    """Something went wrong in Sartor."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or " ".join((self.__doc__ or "").split()))

    @property
    def message(self) -> str:
        """The sentence for people."""
        return str(self.args[0])


class CallerError(SartorError):
    """The request can't be fulfilled as it was made."""


class InvalidRequest(CallerError):
    """The request does not fit the contract."""


class PayloadTooLarge(CallerError):
    """The request is larger than this service accepts."""


class InvalidSetting(CallerError):
    """A setting has an unknown name or a value outside its range."""


class DestinationRefused(CallerError):
    """The URL is not one that this instance lets callers name."""


class InvalidPolicy(CallerError):
    """The learning settings are not acceptable."""


class InvalidColumns(CallerError):
    """The columns or accumulators given to an estimator do not fit it, or one another."""


class LoopNotFound(CallerError):
    """There is no loop of that name."""


class LoopDeleted(LoopNotFound):
    """The loop was deleted."""


class LoopExists(CallerError):
    """There is a loop of that name already."""


class EventNotFound(CallerError):
    """There is no decision with that event id."""


class ModelNotFound(CallerError):
    """There is no model with that id in the history of the loop."""


class ModelInUse(CallerError):
    """The model serves, or others are based on it; it can't be removed."""


class JobNotFound(CallerError):
    """There is no evaluation or other job with that id."""


class JobExists(CallerError):
    """There is an evaluation or other job with that id already."""


class JobNotFinished(CallerError):
    """The evaluation is not finished, or it failed; it has no result to use."""


class PolicyNotFound(CallerError):
    """There is no policy of that name in the evaluation."""


class InvalidModel(CallerError):
    """The bytes are not a model that this loop can go on from."""


class InvalidSignature(CallerError):
    """The model is not signed by a certificate that this service accepts, or was changed since."""


class ForeignBackup(CallerError):
    """The backup can't be authenticated: another instance wrote it, or an older version."""


class InvalidEvaluation(CallerError):
    """The evaluation can't be made as it was requested."""


class TooManyPolicies(InvalidEvaluation):
    """An evaluation compares ten policies at most, besides those that it always shows."""


class DuplicateNames(InvalidEvaluation):
    """Two policies of the evaluation have the same name, or one has a name that is taken."""


class NoLogsInRange(InvalidEvaluation):
    """There is no decision in this range of time."""


class LoopLocked(CallerError):
    """The loop is locked against this; unlock it first."""


class EventOpen(CallerError):
    """The event is not settled yet; its outcome can be corrected when it is."""


class InvalidReceipt(CallerError):
    """The receipt was not written by this instance, or was changed since."""


class DataFolderInUse(CallerError):
    """Another running instance uses this data folder."""


class Unauthorized(SartorError):
    """The key is missing, or it belongs to no loop."""


class Forbidden(SartorError):
    """The caller is known, but may not do this here."""


class TooManyRequests(SartorError):
    """The quota is used up; try again later."""

    def __init__(self, message: str | None = None, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class QueueFull(TooManyRequests):
    """As many evaluations and feature importances of this loop are waiting as may."""

    def __init__(self, message: str | None = None, *, retry_after_s: int = 30) -> None:
        super().__init__(message, retry_after_s=retry_after_s)


class EngineRefused(SartorError):
    """The learning settings of this loop can't rank this request."""


class Unavailable(SartorError):
    """The service can't take this now; nothing was written; try again."""


class StoreUnavailable(Unavailable):
    """The store can't be written or read at the moment (disk full, read-only, or locked)."""


class LoopUnavailable(Unavailable):
    """The loop can't be opened at the moment."""


class LocationUnavailable(Unavailable):
    """A folder or URL outside the data folder can't be read or written at the moment."""


class Overloaded(Unavailable):
    """Too many events are waiting to be written; try again later."""


class Corrupt(SartorError):
    """Stored bytes are not what this service writes."""
