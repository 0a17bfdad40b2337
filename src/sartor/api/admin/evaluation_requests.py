"""What requests for evaluations and for feature importances have in common: times, pages, codes of errors."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, NoReturn, TypeVar
from urllib.parse import urlencode

from msgspec import Meta, Struct

from sartor import errors
from sartor.api.http import durations
from sartor.api.http.error_responses import RequestRefused
from sartor.api.routing.routes import Call, Parameter
from sartor.evaluation import jobs
from sartor.evaluation.spec import EvaluationSpec
from sartor.numbers import LARGEST, parse_whole
from sartor.records import Job
from sartor.times import parse_time_us

_T = TypeVar("_T")
_MOST = 100

_CODES: tuple[tuple[type[errors.CallerError], str], ...] = (
    (errors.TooManyPolicies, "MaximumEvaluationCustomPoliciesExceeded"),
    (errors.DuplicateNames, "DuplicateCustomPolicyNames"),
    (errors.NoLogsInRange, "NoLogsExistInDateRange"),
)

CREATION_CODES = tuple(code for _, code in _CODES)


class Paging(Struct, frozen=True, kw_only=True):
    """Which part of a list is wanted: ``top`` at most in all (None: no bound), ``size`` on this page."""

    top: int | None
    skip: int
    size: int


def to_micros(text: str, name: str, /, *, invalid: str) -> int:
    """Parse a time to microseconds since 1970.

    Raises:
        RequestRefused: it is none, or out of range; the message names it.
    """
    try:
        return parse_time_us(text)
    except ValueError as error:
        raise RequestRefused(invalid, f"{name}: {error}.") from error


@contextmanager
def translate_errors(*, invalid: str, exists: str = "") -> Iterator[None]:
    """Raise the errors of creating a job with the codes of the wire.

    Args:
        invalid: the code of what has no other.
        exists: the code of an id that is taken.
    """
    try:
        yield
    except errors.JobExists as error:
        raise RequestRefused(exists or invalid, error.message) from error
    except errors.CallerError as error:
        _raise_with_code(error, invalid)


def _raise_with_code(error: errors.CallerError, invalid: str) -> NoReturn:
    for kind, code in _CODES:
        if isinstance(error, kind):
            raise RequestRefused(code, error.message) from error
    if isinstance(error, errors.InvalidEvaluation | errors.InvalidPolicy):
        raise RequestRefused(invalid, error.message) from error
    raise error


def add_evaluation(
    call: Call, evaluation_id: str, spec: EvaluationSpec, /, *, invalid: str, exists: str = ""
) -> Job:
    """Create an evaluation of the loop that the request addresses, without the lock: others go on meanwhile.

    Raises:
        RequestRefused: it can't be made; see ``translate_errors``.
        LoopNotFound: the loop was deleted.
        QueueFull: as many of its jobs wait as may.
    """
    loop = call.context.find_loop(call.loop)
    with translate_errors(invalid=invalid, exists=exists), call.context.open_loop(loop) as logs:
        return jobs.add_evaluation(logs, loop, evaluation_id, spec, most_waiting=call.context.waiting_jobs)


def parse_paging(query: Mapping[str, str], /, *, invalid: str) -> Paging:
    """Parse which part of a list a query wants.

    Raises:
        RequestRefused: one of the numbers is none, or out of range.
    """
    top = _parse_number(query, "top", low=0, invalid=invalid)
    skip = _parse_number(query, "skip", low=0, invalid=invalid)
    size = _parse_number(query, "maxpagesize", low=1, invalid=invalid)
    return Paging(top=top, skip=skip or 0, size=min(_MOST, size or _MOST))


def slice_page(
    call: Call, path: str, items: Sequence[_T], wanted: Paging, /
) -> tuple[Sequence[_T], str | None]:
    """Cut the wanted part out of a list, with the link to the next part; None: this was the last.

    Args:
        call: the request.
        path: the path of the list, after the prefix of the version.
        items: the whole list.
        wanted: which part.
    """
    count = wanted.size if wanted.top is None else min(wanted.size, wanted.top)
    page = items[wanted.skip : wanted.skip + count]
    left = None if wanted.top is None else wanted.top - len(page)
    is_last = wanted.skip + count >= len(items) or left == 0
    return page, None if is_last else _build_next_link(call, path, skip=wanted.skip + count, top=left)


def find_job(call: Call, kind: str, /) -> Job:
    """Find the job of a kind that the path names.

    Raises:
        JobNotFound: there is none.
        LoopNotFound: the loop was deleted.
    """
    with call.context.open_loop(call.context.find_loop(call.loop)) as logs:
        return jobs.find_job(logs, kind, call.path_id)


def delete_job(call: Call, kind: str, /) -> None:
    """Remove the job of a kind that the path names; one that runs is stopped.

    Raises:
        JobNotFound: there is none.
        LoopNotFound: the loop was deleted.
    """
    with call.context.open_loop(call.context.find_loop(call.loop)) as logs:
        jobs.delete_job(logs, kind, call.path_id)


def sort_newest_first(jobs_of_kind: Sequence[Job], /) -> list[Job]:
    """Order jobs as lists have them."""
    return list(reversed(jobs_of_kind))


def _build_next_link(call: Call, path: str, *, skip: int, top: int | None) -> str:
    query = {**call.query, "skip": str(skip)} | ({} if top is None else {"top": str(top)})
    headers = {name: value.decode("latin-1") for name, value in call.headers}
    scheme = headers.get(b"x-forwarded-proto", "").lower()
    host = headers.get(b"host", "localhost")
    address = f"{'https' if scheme == 'https' else 'http'}://{host}{call.version.prefix}{path}"
    return f"{address}?{urlencode(query)}"


def _parse_number(query: Mapping[str, str], name: str, *, low: int, invalid: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return parse_whole(text, low=low)
    except ValueError as error:
        raise RequestRefused(invalid, f"{name} {error}.") from error


Time = Annotated[str, durations.TIME]
"""A time in a body or a query: ISO 8601, UTC where it names no zone."""

Name = Annotated[str, Meta(max_length=256, extra_json_schema={"minLength": 1})]


def _integer_schema(low: int) -> dict[str, object]:
    return {"type": "integer", "minimum": low, "maximum": LARGEST}


PAGING = (
    Parameter(name="top", description="How many to list at most.", schema=_integer_schema(0)),
    Parameter(name="skip", description="How many to leave out first.", schema=_integer_schema(0)),
    Parameter(
        name="maxpagesize", description="How many to list on a page, 100 at most.", schema=_integer_schema(1)
    ),
)
