"""The stated invariant: the newest model equals a replay of its outcomes from nothing, whatever happened."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sartor.learn.trainer import replay_gap
from sartor.learn.vw import create_engine
from sartor.settings import AZURE_ARGUMENTS, DEFAULT_ARGUMENTS
from tests.unit.learn.training_loop import TrainingLoop

POLICIES = [DEFAULT_ARGUMENTS, AZURE_ARGUMENTS, "--cb_explore_adf --bag 3 --epsilon 0.1 --random_seed 4"]

Event = Callable[[TrainingLoop], object]


def _settles(count: int, learnable: bool) -> Event:
    return lambda training: training.settle(count, learnable=learnable)


def _steps(limit: int) -> Event:
    return lambda training: training.step(limit=limit)


def _waits(seconds: int) -> Event:
    return lambda training: training.clock.advance(seconds)


def _changes(arguments: str, days: int) -> Event:
    return lambda training: training.change(arguments=arguments, model_retrain_days=days)


def _explores(percentage: float) -> Event:
    return lambda training: training.change(exploration_percentage=percentage)


def _crashes(training: TrainingLoop) -> None:
    training.restart()


def _rolls_back(training: TrainingLoop) -> None:
    training.models.promote(None)


def _loses_the_newest_model(training: TrainingLoop) -> None:
    if training.models.history():
        training.models._blobs[training.newest.model_id] = b"junk"
        training.restart()


def _resets(training: TrainingLoop) -> None:
    training.reset()


def _imports(training: TrainingLoop) -> None:
    training.import_model(create_engine(training.loop.arguments).dump())


def _retrains(training: TrainingLoop) -> None:
    training.loop = replace(training.loop, generation=training.loop.generation + 1, first_outcome=None)


def _amends(place: int, learnable: bool) -> Event:
    def event(training: TrainingLoop) -> None:
        counts = training.log.outcomes.counts()
        if counts.outcomes:
            number = counts.first_outcome + place % counts.outcomes
            training.amend(number, reward=0.75, learnable=learnable)

    return event


def _forgets(count: int) -> Event:
    def event(training: TrainingLoop) -> None:
        counts = training.log.outcomes.counts()
        if count < counts.outcomes:
            training.forget(counts.first_outcome - 1 + count)

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
    training = TrainingLoop()
    for event in events:
        event(training)
    training.restart()
    training.step(limit=1)  # settings that learn nothing again begin with what settles after they were seen
    training.settle(1)
    training.clock.advance(61)  # the model before may be named a moment later than now
    while training.step(limit=1_000):
        pass
    learnable = [
        logged.seq
        for logged in training.log.outcomes.outcomes(after=0, limit=10_000)
        if logged.outcome.learnable
    ]
    newest = training.newest
    assert newest.last_outcome == learnable[-1]
    assert newest.revision == training.log.outcomes.counts().revision
    assert newest.generation == training.loop.generation
    if replay_gap(newest, training.log.outcomes.counts()) is not None:
        return  # the log lost what it began with
    assert newest.learned == len([seq for seq in learnable if seq >= newest.first_outcome])
    training.assert_newest_equals_a_replay()


@given(events=st.lists(EVENTS, min_size=5, max_size=30))
@settings(max_examples=20)
def test_every_model_ever_published_says_truly_what_is_in_it(events: list[Event]) -> None:
    training = TrainingLoop()
    for event in events:
        event(training)
    counts = training.log.outcomes.counts()
    models = [model for model in training.models.history() if model.base_id != model.model_id]
    ids = [model.model_id for model in models]
    assert ids == sorted(set(ids), reverse=True)
    outcomes = training.log.outcomes.outcomes(after=0, limit=10_000)
    for model in (model for model in models if replay_gap(model, counts) is None):
        within = [logged for logged in outcomes if model.first_outcome <= logged.seq <= model.last_outcome]
        assert model.learned == sum(logged.outcome.learnable for logged in within) > 0
        assert model == replace(model, created_at_us=int(model.model_id, 16))
