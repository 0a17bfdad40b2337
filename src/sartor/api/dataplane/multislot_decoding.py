"""Bodies for several slots, decoded and checked: bytes in, a request for ``explore`` or rewards out."""

from collections.abc import Sequence

import msgspec

from sartor import records
from sartor.access import request_size
from sartor.api.dataplane import validation_errors
from sartor.api.dataplane.decoding import RequestDecoder, check_features, check_ids, decode_body
from sartor.api.dataplane.multislot_wire import (
    MultiSlotRankRequest,
    MultiSlotRewardRequest,
    SlotRequest,
    SlotReward,
)
from sartor.errors import InvalidRequest, PayloadTooLarge
from sartor.records import Action
from sartor.settings import Limits

_encode = msgspec.json.Encoder().encode
_NO_FEATURES = b"[]"


class MultiSlotDecoder:
    """Decodes the bodies of one service; what is the same for one slot is left to ``decoder``."""

    def __init__(self, limits: Limits, decoder: RequestDecoder, /) -> None:
        self._limits = limits
        self._decoder = decoder
        self._rank = msgspec.json.Decoder(MultiSlotRankRequest)
        self._rewards = msgspec.json.Decoder(MultiSlotRewardRequest)

    def rank(self, body: bytes, /) -> records.MultiSlotInput:
        """Decode a rank body.

        Raises:
            InvalidRequest: it does not fit the contract; the message names the field.
            PayloadTooLarge: more features than the limits allow.
        """
        wire = decode_body(self._rank, body, validation_errors.check_multislot_rank)
        ids = [action.id for action in wire.actions]
        blobs = [_encode(action.features) for action in wire.actions]
        check_ids(ids, limits=self._limits)
        check_features(wire.actions, blobs)
        slots = self._convert_slots(ids, wire.slots)
        self._check_size(wire)
        return records.MultiSlotInput(
            event_id=self._decoder.event_id(wire.event_id),
            context=_encode(wire.context_features) if wire.context_features else _NO_FEATURES,
            actions=tuple(map(Action, ids, blobs)),
            slots=slots,
            deferred=bool(wire.defer_activation),
        )

    def rewards(self, body: bytes, /) -> Sequence[SlotReward]:
        """Decode a reward body: one reward at least.

        Raises:
            InvalidRequest: it does not fit the contract; the message names the field.
        """
        rewards = decode_body(self._rewards, body, validation_errors.check_slot_rewards).reward
        if not 1 <= len(rewards) <= self._limits.actions:
            raise InvalidRequest(f"reward must hold 1 to {self._limits.actions} rewards, not {len(rewards)}.")
        for place, reward in enumerate(rewards):
            self._check_id(reward.slot_id, f"reward[{place}].slotId")
        return rewards

    def _convert_slots(self, ids: list[str], slots: list[SlotRequest]) -> tuple[records.SlotInput, ...]:
        if not 1 <= len(slots) <= len(ids):
            raise InvalidRequest(
                f"slots must hold 1 to {len(ids)} slots, no more than there are actions, not {len(slots)}."
            )
        for place, slot in enumerate(slots):
            self._check_id(slot.id, f"slots[{place}].id")
        _check_once([slot.id for slot in slots], "id", "ids of slots")
        place_of = {action_id: place for place, action_id in enumerate(ids)}
        made = tuple([_convert_slot(place_of, slot, f"slots[{place}]") for place, slot in enumerate(slots)])
        _check_once([slot.baseline_action for slot in slots], "baselineAction", "baselines")
        return made

    def _check_id(self, given: str, path: str) -> None:
        most = self._limits.id_chars
        if not 1 <= len(given) <= most:
            raise InvalidRequest(f"{path} must have 1 to {most} characters, not {len(given)}.")

    def _check_size(self, wire: MultiSlotRankRequest) -> None:
        limits = self._limits
        context = request_size.count_features(wire.context_features or [])
        actions = [request_size.count_features(action.features) for action in wire.actions]
        slots = [request_size.count_features(slot.features or []) for slot in wire.slots]
        count = context + sum(actions) + sum(slots)
        if count > limits.features:
            raise PayloadTooLarge(
                f"contextFeatures, actions and slots hold {count} features; "
                f"at most {limits.features} are accepted."
            )
        # The engine predicts once for each slot, and each time reads the slots before it again.
        looks = len(slots) * (len(slots) + 1) // 2
        pairs = looks * request_size.count_pairs(context + max(slots), actions)
        if pairs > limits.feature_pairs:
            raise PayloadTooLarge(
                f"contextFeatures, actions and slots make {pairs} pairs of features; "
                f"at most {limits.feature_pairs} are accepted."
            )


def _convert_slot(place_of: dict[str, int], slot: SlotRequest, path: str) -> records.SlotInput:
    baseline = place_of.get(slot.baseline_action)
    if baseline is None:
        raise InvalidRequest(f"{path}.baselineAction is not the id of an action.")
    unwanted = set(slot.excluded_actions or ())
    for number, action_id in enumerate(slot.excluded_actions or ()):
        if action_id not in place_of:
            raise InvalidRequest(f"{path}.excludedActions[{number}] is not the id of an action.")
    if slot.baseline_action in unwanted:
        raise InvalidRequest(f"{path}.baselineAction is excluded in the same slot.")
    return records.SlotInput(
        id=slot.id,
        features=_encode(slot.features) if slot.features else _NO_FEATURES,
        baseline=baseline,
        excluded=tuple(sorted(place_of[action_id] for action_id in unwanted)),
    )


def _check_once(names: list[str], member: str, what: str) -> None:
    for place, name in enumerate(names):
        first = names.index(name)
        if first != place:
            raise InvalidRequest(
                f"slots[{place}].{member} is the same as that of slots[{first}]; {what} must be unique."
            )
