"""Corrects rewards of settled events; the model is then learned as if they had been right.

The outcome log has the new reward when this returns, and so do exports, evaluations and scores.
The live model has it once the trainer has learned the log again, which begins at once.
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from sartor.errors import EventOpen, InvalidRequest
from sartor.management import loops
from sartor.numbers import REWARD_RANGE, is_reward
from sartor.ports import Loop, LoopStores
from sartor.records import LoggedDecision, LoggedOutcome, Outcome
from sartor.stores.audited import AuditedStores
from sartor.verification import decision_replay

_MOST_NOTED = 100


class RewardCorrection(Struct, frozen=True, kw_only=True, rename="camel"):
    """The result of a correction. ``revision``: of the outcome log; a model of it has learned the new reward.

    ``before`` and ``after`` have an entry for each decision with the event id; two ranks may share one.
    """

    event_id: str
    slot_id: str | None
    before: tuple[float, ...]
    after: tuple[float, ...]
    revision: int


def correct_reward(
    stores: AuditedStores, name: str, event_id: str, reward: float | None, /, *, slot: str | None = None
) -> RewardCorrection:
    """Replace the reward of a settled event.

    Args:
        stores: those of the caller.
        name: the loop.
        event_id: the event.
        reward: the right one; None retracts it: the event counts as one without a reward.
        slot: which slot of a multi-slot event.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: it is locked against changes.
        EventNotFound: there is no such event.
        EventOpen: it is not settled yet.
        InvalidRequest: a slot is missing, or not one of the event's; or the reward is out of range.
    """
    if reward is not None and not is_reward(reward):
        raise InvalidRequest(f"A reward must be a finite number {REWARD_RANGE}, not {reward:g}.")
    with loops.open_to_change(stores, name) as (loop, logs):
        right = loop.settings.default_reward if reward is None else reward
        decisions = decision_replay.find_decisions(logs, event_id)
        outcomes = logs.outcomes.outcomes_of(event_id)
        _refuse_open(decisions, outcomes, event_id)
        slots = {logged.seq: _slot_index(logged, slot) for logged in decisions}
        corrected = [_correct(one.outcome, slots[one.outcome.decision_seq], right) for one in outcomes]
        is_right = corrected == [one.outcome for one in outcomes]
        correction = RewardCorrection(
            event_id=event_id,
            slot_id=slot,
            before=_list_rewards(outcomes, slots),
            after=(right,) * len(corrected),
            # Amended in vain, it would be learned again in vain.
            revision=logs.outcomes.counts().revision if is_right else logs.outcomes.amend(corrected),
        )
    if not is_right:
        _note_correction(stores, loop, correction)
    return correction


def is_learned(logs: LoopStores, revision: int, /) -> bool:
    """Whether the live model has learned the outcome log as it was with this revision."""
    live = logs.models.live()
    return live is not None and live.revision >= revision


def _refuse_open(decisions: Sequence[LoggedDecision], outcomes: Sequence[LoggedOutcome], event_id: str) -> None:
    if len(outcomes) < len(decisions):
        raise EventOpen(
            f"The event {event_id!r} is not settled yet. Its reward can be corrected once it is: after its "
            "reward arrived, or at the end of its reward wait time."
        )


def _slot_index(logged: LoggedDecision, slot: str | None) -> int | None:
    ids = [one.id for one in logged.decision.slots]
    if not ids:
        if slot is not None:
            raise InvalidRequest(f"The event {logged.decision.event_id!r} has no slots.")
        return None
    if slot not in ids:
        raise InvalidRequest(f"Specify one of the slots: {', '.join(ids)}.")
    return ids.index(slot)


def _correct(outcome: Outcome, slot: int | None, reward: float) -> Outcome:
    if slot is None:
        return replace(outcome, reward=reward, corrected=True)
    rewards = (*outcome.slot_rewards[:slot], reward, *outcome.slot_rewards[slot + 1 :])
    return replace(outcome, reward=rewards[0], slot_rewards=rewards, corrected=True)


def _list_rewards(outcomes: Sequence[LoggedOutcome], slots: dict[int, int | None]) -> tuple[float, ...]:
    found = []
    for one in outcomes:
        slot = slots[one.outcome.decision_seq]
        found.append(one.outcome.reward if slot is None else one.outcome.slot_rewards[slot])
    return tuple(found)


def _note_correction(stores: AuditedStores, loop: Loop, correction: RewardCorrection) -> None:
    where = {"eventId": correction.event_id} | (
        {} if correction.slot_id is None else {"slotId": correction.slot_id}
    )
    stores.note(
        "correct reward",
        loop,
        before={**where, **_shorten(correction.before)},
        after={**where, **_shorten(correction.after), "revision": correction.revision},
    )


def _shorten(rewards: tuple[float, ...]) -> dict[str, object]:
    """Describe rewards for the audit log: an entry has an end, however many decisions share an event id."""
    if len(rewards) <= _MOST_NOTED:
        return {"reward": rewards}
    return {"reward": rewards[:_MOST_NOTED], "decisions": len(rewards), "sum": sum(rewards)}
