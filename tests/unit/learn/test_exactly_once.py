"""The stated invariant: the newest model equals a replay of its outcomes from nothing, whatever happened."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sartor.learn.engines import create_engine
from sartor.learn.trainer import replay_gap
from sartor.settings import AZURE_ARGUMENTS, DEFAULT_ARGUMENTS, VW_ARGUMENTS
from tests.unit.learn.training_loop import Training

POLICIES = [
    DEFAULT_ARGUMENTS,
    VW_ARGUMENTS,
    AZURE_ARGUMENTS,
    "--cb_explore_adf --bag 3 --epsilon 0.1 --random_seed 4",
]

Event = Callable[[Training], object]


def _settles(count: int, learnable: bool) -> Event:
    return lambda world: world.settle(count, learnable=learnable)


def _steps(limit: int) -> Event:
    return lambda world: world.step(limit=limit)


def _waits(seconds: int) -> Event:
    return lambda world: world.clock.advance(seconds)


def _changes(arguments: str, days: int) -> Event:
    return lambda world: world.change(arguments=arguments, model_retrain_days=days)


def _explores(percentage: float) -> Event:
    return lambda world: world.change(exploration_percentage=percentage)


def _crashes(world: Training) -> None:
    world.restart()


def _rolls_back(world: Training) -> None:
    world.models.promote(None)


def _loses_the_newest_model(world: Training) -> None:
    if world.models.history():
        world.models._blobs[world.newest.model_id] = b"junk"
        world.restart()


def _resets(world: Training) -> None:
    world.reset()


def _imports(world: Training) -> None:
    world.import_model(create_engine(world.loop.arguments).dump())


def _retrains(world: Training) -> None:
    world.loop = replace(world.loop, generation=world.loop.generation + 1, first_outcome=None)


def _amends(place: int, learnable: bool) -> Event:
    def event(world: Training) -> None:
        counts = world.log.outcomes.counts()
        if counts.outcomes:
            number = counts.first_outcome + place % counts.outcomes
            world.amend(number, reward=0.75, learnable=learnable)

    return event


def _forgets(count: int) -> Event:
    def event(world: Training) -> None:
        counts = world.log.outcomes.counts()
        if count < counts.outcomes:
            world.forget(counts.first_outcome - 1 + count)

    return event


EVENTS = st.one_of(
    st.builds(_settles, st.integers(1, 15), st.booleans()),
    st.builds(_steps, st.integers(1, 20)),
    st.builds(_waits, st.sampled_from([1, 60, 90_000])),
    st.builds(_changes, st.sampled_from(POLICIES), st.integers(0, 2)),
    st.builds(_explores, st.sampled_from([0.1, 0.2])),
    st.sampled_from([_crashes, _rolls_back, _loses_the_newest_model, _resets, _imports, _retrains]),
    st.builds(_amends, st.integers(0, 1_000), st.booleans()),
    st.builds(_forgets, st.integers(1, 12)),
)


@given(events=st.lists(EVENTS, min_size=5, max_size=40))
@settings(max_examples=80)
def test_the_newest_model_equals_a_replay_whatever_happened(events: list[Event]) -> None:
    world = Training()
    for event in events:
        event(world)
    world.restart()
    world.step(limit=1)  # settings that learn nothing again begin with what settles after they were seen
    world.settle(1)
    world.clock.advance(61)  # the model before may be named a moment later than now
    while world.step(limit=1_000):
        pass
    learnable = [
        logged.seq for logged in world.log.outcomes.outcomes(after=0, limit=10_000) if logged.outcome.learnable
    ]
    newest = world.newest
    assert newest.last_outcome == learnable[-1]
    assert newest.revision == world.log.outcomes.counts().revision
    assert newest.generation == world.loop.generation
    if replay_gap(newest, world.log.outcomes.counts()) is not None:
        return  # the log lost what it began with
    assert newest.learned == len([seq for seq in learnable if seq >= newest.first_outcome])
    world.assert_newest_equals_a_replay()


@given(events=st.lists(EVENTS, min_size=5, max_size=30))
@settings(max_examples=20)
def test_every_model_ever_published_says_truly_what_is_in_it(events: list[Event]) -> None:
    world = Training()
    for event in events:
        event(world)
    counts = world.log.outcomes.counts()
    models = [model for model in world.models.history() if model.base_id != model.model_id]
    ids = [model.model_id for model in models]
    assert ids == sorted(set(ids), reverse=True)
    outcomes = world.log.outcomes.outcomes(after=0, limit=10_000)
    for model in (model for model in models if replay_gap(model, counts) is None):
        within = [logged for logged in outcomes if model.first_outcome <= logged.seq <= model.last_outcome]
        assert model.learned == sum(logged.outcome.learnable for logged in within) > 0
        assert model == replace(model, created_at_us=int(model.model_id, 16))
