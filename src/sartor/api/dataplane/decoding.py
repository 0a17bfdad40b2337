"""Bodies decoded and checked: bytes in, a request for ``explore`` or a reward out.

The typed decoders do nearly all of it in C. A body that they refuse is read once more, slowly, only to say what
is wrong with it (``validation_errors``).
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from sartor.access import request_size
from sartor.api.dataplane import validation_errors
from sartor.api.dataplane.wire import RankableAction, RankRequest, RewardRequest
from sartor.api.http.json_body import explain_json_error
from sartor.errors import InvalidRequest, PayloadTooLarge
from sartor.records import Action, RankInput
from sartor.settings import Limits

_T = TypeVar("_T")

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # ValidationError is a DecodeError
_encode = msgspec.json.Encoder().encode
_NO_FEATURES = b"[]"


class RequestDecoder:
    """Decodes the bodies of one service; ``new_event_id`` makes the ids that callers leave out."""

    def __init__(self, limits: Limits, /, *, new_event_id: Callable[[], str]) -> None:
        self._limits = limits
        self._new_event_id = new_event_id
        self._rank = msgspec.json.Decoder(RankRequest)
        self._reward = msgspec.json.Decoder(RewardRequest)

    def rank(self, body: bytes, /) -> RankInput:
        """Decode a rank body.

        Raises:
            InvalidRequest: it does not fit the contract; the message names the field.
            PayloadTooLarge: more features than the limits allow.
        """
        wire = decode_body(self._rank, body, validation_errors.check_rank)
        ids = [action.id for action in wire.actions]
        blobs = [_encode(action.features) for action in wire.actions]
        check_ids(ids, limits=self._limits)
        check_features(wire.actions, blobs)
        self._check_size(wire, body)
        return RankInput(
            event_id=self.event_id(wire.event_id),
            context=_encode(wire.context_features) if wire.context_features else _NO_FEATURES,
            actions=tuple(map(Action, ids, blobs)),
            excluded=_find_excluded(ids, wire.excluded_actions) if wire.excluded_actions else (),
            deferred=bool(wire.defer_activation),
        )

    def reward(self, body: bytes, /) -> float:
        """Decode a reward body to its value.

        Raises:
            InvalidRequest: it does not fit the contract; the message names the field.
        """
        return decode_body(self._reward, body, validation_errors.check_reward).value

    def check_event_id(self, event_id: str, /) -> str:
        """Check the id of an event, from a body or a path, and return it.

        Raises:
            InvalidRequest: it is empty or longer than the contract allows.
        """
        if not event_id:
            raise InvalidRequest("eventId must not be empty.")
        if len(event_id) > self._limits.id_chars:
            raise InvalidRequest(f"eventId is longer than {self._limits.id_chars} characters.")
        if "\0" in event_id:
            raise InvalidRequest("eventId holds a NUL character.")
        return event_id

    def event_id(self, given: str | None, /) -> str:
        """Check the id that was given in a body; without one, make a new one.

        Raises:
            InvalidRequest: it is empty or longer than the contract allows.
        """
        return self._new_event_id() if given is None else self.check_event_id(given)

    def _check_size(self, wire: RankRequest, body: bytes) -> None:
        limits = self._limits
        if request_size.fits_at_a_glance(body, actions=len(wire.actions), limits=limits):
            return
        context = request_size.count_features(wire.context_features or [])
        each = [request_size.count_features(action.features) for action in wire.actions]
        if context + sum(each) > limits.features:
            raise PayloadTooLarge(
                f"contextFeatures and actions hold {context + sum(each)} features; "
                f"at most {limits.features} are accepted."
            )
        pairs = request_size.count_pairs(context, each)
        if pairs > limits.feature_pairs:
            raise PayloadTooLarge(
                f"contextFeatures and actions make {pairs} pairs of features; "
                f"at most {limits.feature_pairs} are accepted."
            )


def decode_body(decoder: msgspec.json.Decoder[_T], body: bytes, check: Callable[[object], None], /) -> _T:
    """Decode a body.

    Raises:
        InvalidRequest: it does not fit; the message is that of ``check``, or of the decoder.
    """
    try:
        value = decoder.decode(body)
    except msgspec.ValidationError as error:
        check(validation_errors.parse_json(body))
        raise explain_json_error(body, error) from error
    except _UNREADABLE as error:
        raise explain_json_error(body, error) from error
    if b"\\" in body and b"\\u0000" in body:  # texts end at a NUL in the engine
        check(validation_errors.parse_json(body))
    return value


def check_ids(ids: list[str], /, *, limits: Limits) -> None:
    """Check the number of actions, and that their ids are valid and unique.

    Raises:
        InvalidRequest: the message names the first that is not.
    """
    if not 1 <= len(ids) <= limits.actions:
        raise InvalidRequest(f"actions must hold 1 to {limits.actions} actions, not {len(ids)}.")
    if "" in ids:
        raise InvalidRequest(f"actions[{ids.index('')}].id must not be empty.")
    if max(map(len, ids)) > limits.id_chars:
        place = max(range(len(ids)), key=lambda place: len(ids[place]))
        raise InvalidRequest(f"actions[{place}].id is longer than {limits.id_chars} characters.")
    if len(set(ids)) != len(ids):
        raise InvalidRequest(_describe_duplicate(ids))


def check_features(actions: list[RankableAction], blobs: list[bytes], /) -> None:
    """Check that each action has a feature that is not null; ``blobs`` are the features as JSON.

    Raises:
        InvalidRequest: the message names the first that has none.
    """
    written = b"".join(blobs)
    if not (b"null" in written or b"{}" in written or b"[]" in written):
        return  # no feature is null, and nothing is empty
    for place, action in enumerate(actions):
        if not request_size.count_features(action.features):
            raise InvalidRequest(f"actions[{place}].features must hold a feature that is not null.")


def _find_excluded(ids: list[str], names: list[str]) -> tuple[int, ...]:
    unwanted = set(names)
    excluded = tuple([place for place, action_id in enumerate(ids) if action_id in unwanted])
    if len(excluded) == len(ids):
        raise InvalidRequest("excludedActions leaves no action to choose from.")
    return excluded


def _describe_duplicate(ids: list[str]) -> str:
    place = next(place for place, action_id in enumerate(ids) if action_id in ids[:place])
    return f"actions[{place}].id is the same as that of actions[{ids.index(ids[place])}]; ids must be unique."
