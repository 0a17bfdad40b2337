"""Which operation a path names. Matched as it was sent, so that ``%2F`` in an event id does not split it."""

from urllib.parse import unquote_to_bytes

from msgspec import Struct

from sartor.errors import InvalidRequest

PREFIX = "/personalizer/v1.0"

_RANK = f"{PREFIX}/rank".encode()
_EVENTS = f"{PREFIX}/events/".encode()


class Operation(Struct, frozen=True):
    """One of the three. ``invalid`` is the error code of a request for it that the caller can mend."""

    name: str
    invalid: str


RANK = Operation("rank", "InvalidRankRequest")
REWARD = Operation("reward", "InvalidRewardRequest")
ACTIVATE = Operation("activate", "InvalidEventIdToActivate")

_OF_EVENTS = {b"reward": REWARD, b"activate": ACTIVATE}


def match(path: bytes, /) -> tuple[Operation, bytes] | None:
    """The operation at a path, and the event id in it as it was sent; None where there is none.

    Case and one slash at the end don't matter, as at the retired service's gateway. An official client sends an
    empty event id as ``/events/activate``, which is a bad id rather than an unknown path.
    """
    if path == _RANK:
        return RANK, b""
    if path.endswith(b"/"):
        path = path[:-1]
    if path[: len(_EVENTS)].lower() == _EVENTS:
        event_id, _, verb = path[len(_EVENTS) :].rpartition(b"/")
        operation = _OF_EVENTS.get(verb.lower())
        return (operation, event_id) if operation is not None and b"/" not in event_id else None
    return (RANK, b"") if path.lower() == _RANK else None


def event_id(sent: bytes, /) -> str:
    """The event id of a path, percent-decoded.

    Raises:
        InvalidRequest: it is not UTF-8.
    """
    try:
        return (unquote_to_bytes(sent) if b"%" in sent else sent).decode()
    except UnicodeDecodeError:
        raise InvalidRequest("eventId in the path is not valid UTF-8, percent-encoded.") from None
