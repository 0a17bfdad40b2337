"""Errors as responses: status, code and message, shaped like those of the retired service (contract, 1.9)."""

import logging

import msgspec
from msgspec import Struct

from sartor import errors
from sartor.access.asgi import Header
from sartor.api.http.error_codes import STATUS
from sartor.api.http.response import Response
from sartor.problems import strip_folders

RETRY_AFTER_S = 1
"""How long a caller should wait after a 503."""

_REALM: Header = (
    b"www-authenticate",
    b'AzureApiManagementKey realm="personalizer", name="Ocp-Apim-Subscription-Key", type="header", Bearer',
)
_encode = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)

_logged: set[str] = set()
_MOST_LOGGED = 1_000


class PersonalizerError(Struct, frozen=True):
    """What went wrong: a code for programs, a sentence for people."""

    code: str
    message: str


class ErrorResponse(Struct, frozen=True):
    """The body of every answer that is not a success."""

    error: PersonalizerError


class ClientDisconnected(Exception):
    """The client has disconnected; there is no one to answer."""


class RequestRefused(errors.CallerError):
    """A request is refused with a code of its own, which decides the status (``error_codes``)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def error_response(status: int, code: str, message: str, *headers: Header) -> Response:
    """Build the response of an error; all have this shape."""
    body = _encode(ErrorResponse(PersonalizerError(code, message)))
    return Response(status, body, ((b"x-ms-error-code", code.encode()), *headers))


def error_to_response(error: Exception, *, invalid: str) -> Response:
    """Build the response to a request that ended in this error.

    Args:
        error: what was raised; anything that is not a ``SartorError`` is a bug, and logged.
        invalid: the code for what the caller can mend (``InvalidRankRequest``, for example).
    """
    match error:
        case RequestRefused():
            return error_response(STATUS[error.code], error.code, error.message)
        case errors.LoopLocked():
            return error_response(409, "ScopeLocked", error.message)
        case errors.Forbidden():
            return error_response(403, "403", error.message)
        case errors.TooManyRequests():
            return _too_many_requests(error)
        case errors.Unauthorized() | errors.LoopDeleted():
            return _unauthorized(error)
        case errors.PayloadTooLarge():
            return error_response(400, "PayloadSizeExceeded", error.message)
        case errors.CallerError():
            return error_response(400, invalid, error.message)
        case errors.EngineRefused():
            return error_response(409, "ModelRankingError", error.message)
        case errors.Unavailable() | errors.Corrupt():
            return _unavailable(error)
    _log.error("A request failed for a reason of ours.", exc_info=error, extra={"action": "request_failed"})
    return error_response(
        500, "InternalServerError", "Something went wrong inside the service; it has been logged."
    )


def _unauthorized(error: errors.Unauthorized | errors.LoopDeleted) -> Response:
    # The key of a loop that is deleted meanwhile belongs to no loop from now on.
    is_deleted = isinstance(error, errors.LoopDeleted)
    message = "Access denied: the loop was deleted." if is_deleted else error.message
    return error_response(401, "401", message, _REALM)


def unavailable(message: str, /) -> Response:
    """Build the response where the service can't take a request now, but soon will."""
    retry_after = (b"retry-after", b"%d" % RETRY_AFTER_S)
    return error_response(503, "OperationNotAllowed", strip_folders(message), retry_after)


def stopping() -> Response:
    """Build the response to a request that the service can't answer because it stops."""
    return unavailable("The service is stopping; send the request again.")


def _unavailable(error: errors.Unavailable | errors.Corrupt) -> Response:
    if isinstance(error, errors.Corrupt):
        _log_damage(error)
    return unavailable(error.message)


def _log_damage(error: errors.Corrupt) -> None:
    """Log what is damaged, once for each message: a caller may ask for it again and again."""
    if error.message in _logged:
        return
    if len(_logged) >= _MOST_LOGGED:
        _logged.clear()
    _logged.add(error.message)
    _log.error("A request needs what is damaged: %s", error.message, extra={"action": "damage_found"})


def _too_many_requests(error: errors.TooManyRequests) -> Response:
    # In the words of the retired gateway, which clients search for the number (contract, section 0).
    wait_s = error.retry_after_s
    message = f"{error.message} Please retry after {wait_s} second{'' if wait_s == 1 else 's'}."
    return error_response(429, "429", message, (b"retry-after", b"%d" % wait_s))


def not_found() -> Response:
    """Build the response where there is no such route."""
    return error_response(
        404, "ResourceNotFound", "There is no such resource; see /docs for those that there are."
    )


def not_allowed(allowed: bytes) -> Response:
    """Build the response where the path has no such method."""
    message = f"This resource answers {allowed.decode()} only."
    return error_response(405, "BadRequest", message, (b"allow", allowed))
