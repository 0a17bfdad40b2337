"""What a change of a loop means for training: the time of the edit, and whether its model is replaced."""

from contextlib import closing

from msgspec.structs import replace

from sartor.errors import InvalidPolicy
from sartor.learn.engines import fills_several_slots, for_several_slots
from sartor.loops import with_arguments
from sartor.ports import Loop, Stores
from sartor.settings import DEFAULT_ARGUMENTS, LoopSettings

DEFAULT_SLOTS_ARGUMENTS = for_several_slots(DEFAULT_ARGUMENTS)
"""The learning settings that a loop of several slots is reset to."""


def mark_edited(before: Loop, after: Loop, /, *, now_us: int) -> Loop:
    """Returns the changed loop, with the time of the edit if something changed that matters to training.

    That is the learning settings and the learning mode, and what decides over rewards and exploration.
    """
    if _training_fields(before) == _training_fields(after):
        return after
    return replace(after, edited_at_us=now_us)


def _training_fields(loop: Loop) -> tuple[object, ...]:
    settings: LoopSettings = loop.settings
    return (
        loop.effective_arguments,
        settings.learning_mode,
        settings.reward_wait_time,
        settings.default_reward,
        settings.reward_aggregation,
        settings.exploration_percentage,
    )


def default_arguments(loop: Loop, /) -> str:
    """Returns the default learning settings of a loop: those for several slots if it has several."""
    return DEFAULT_SLOTS_ARGUMENTS if loop.has_several_slots else DEFAULT_ARGUMENTS


def apply_policy_change(stores: Stores, loop: Loop, arguments: str, /, *, now_us: int) -> Loop:
    """Give a loop checked learning settings; returns the changed loop.

    The number after their ``--epsilon`` becomes the loop's exploration percentage.

    Settings for several slots turn a loop of a single one into one of several, for good (contract, section
    2.10). Its model is of no use then: decisions are uniform until the first export of the new one, which
    learns what is settled from now on.

    Raises:
        InvalidPolicy: the loop has several slots already, and these are for one; or it optimises itself.
    """
    new = mark_edited(loop, with_arguments(loop, arguments), now_us=now_us)
    if fills_several_slots(arguments) is loop.has_several_slots:
        return stores.catalog.update(new)
    if loop.has_several_slots:
        raise InvalidPolicy("A loop of several slots stays one: use --ccb_explore_adf, or make another loop.")
    if loop.settings.is_auto_optimization_enabled:
        raise InvalidPolicy(
            "Turn isAutoOptimizationEnabled off before this loop gets several slots; it has no use for them."
        )
    return _convert_to_slots(stores, new)


def _convert_to_slots(stores: Stores, loop: Loop) -> Loop:
    with closing(stores.open(loop)) as logs:
        following = logs.outcomes.counts().last_outcome + 1
        new = stores.catalog.update(replace(loop, generation=loop.generation + 1, first_outcome=following))
        live = logs.models.live()
        if live is not None and live.generation < new.generation:
            logs.models.promote(None)
    return new
