"""The stated invariant: the newest model equals a replay of its outcomes from nothing, whatever happened."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sartor.learn.trainer import replay_gap
from sartor.learn.vw import create_engine
from sartor.settings import AZURE_ARGUMENTS, DEFAULT_ARGUMENTS
from tests.unit.learn.bench import Bench

POLICIES = [DEFAULT_ARGUMENTS, AZURE_ARGUMENTS, "--cb_explore_adf --bag 3 --epsilon 0.1 --random_seed 4"]

Event = Callable[[Bench], object]


def _settles(count: int, learnable: bool) -> Event:
    return lambda bench: bench.settle(count, learnable=learnable)


def _steps(limit: int) -> Event:
    return lambda bench: bench.step(limit=limit)


def _waits(seconds: int) -> Event:
    return lambda bench: bench.clock.advance(seconds)


def _changes(arguments: str, days: int) -> Event:
    return lambda bench: bench.change(arguments=arguments, model_retrain_days=days)


def _explores(percentage: float) -> Event:
    return lambda bench: bench.change(exploration_percentage=percentage)


def _crashes(bench: Bench) -> None:
    bench.restart()


def _rolls_back(bench: Bench) -> None:
    bench.models.promote(None)


def _loses_the_newest_model(bench: Bench) -> None:
    if bench.models.history():
        bench.models._blobs[bench.newest.model_id] = b"junk"
        bench.restart()


def _resets(bench: Bench) -> None:
    bench.reset()


def _imports(bench: Bench) -> None:
    bench.bring_in(create_engine(bench.loop.arguments).dump())


def _retrains(bench: Bench) -> None:
    bench.loop = replace(bench.loop, generation=bench.loop.generation + 1, first_outcome=None)


def _amends(place: int, learnable: bool) -> Event:
    def event(bench: Bench) -> None:
        counts = bench.log.outcomes.counts()
        if counts.outcomes:
            number = counts.first_outcome + place % counts.outcomes
            bench.amend(number, reward=0.75, learnable=learnable)

    return event


def _forgets(count: int) -> Event:
    def event(bench: Bench) -> None:
        counts = bench.log.outcomes.counts()
        if count < counts.outcomes:
            bench.forget(counts.first_outcome - 1 + count)

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
    bench = Bench()
    for event in events:
        event(bench)
    bench.restart()
    bench.step(limit=1)  # settings that learn nothing again begin with what settles after they were seen
    bench.settle(1)
    bench.clock.advance(61)  # the model before may be named a moment later than now
    while bench.step(limit=1_000):
        pass
    learnable = [
        logged.seq for logged in bench.log.outcomes.outcomes(after=0, limit=10_000) if logged.outcome.learnable
    ]
    newest = bench.newest
    assert newest.last_outcome == learnable[-1]
    assert newest.revision == bench.log.outcomes.counts().revision
    assert newest.generation == bench.loop.generation
    if replay_gap(newest, bench.log.outcomes.counts()) is not None:
        return  # the log lost what it began with
    assert newest.learned == len([seq for seq in learnable if seq >= newest.first_outcome])
    bench.assert_newest_equals_a_replay()


@given(events=st.lists(EVENTS, min_size=5, max_size=30))
@settings(max_examples=20)
def test_every_model_ever_published_says_truly_what_is_in_it(events: list[Event]) -> None:
    bench = Bench()
    for event in events:
        event(bench)
    counts = bench.log.outcomes.counts()
    models = [model for model in bench.models.history() if model.base_id != model.model_id]
    ids = [model.model_id for model in models]
    assert ids == sorted(set(ids), reverse=True)
    outcomes = bench.log.outcomes.outcomes(after=0, limit=10_000)
    for model in (model for model in models if replay_gap(model, counts) is None):
        within = [logged for logged in outcomes if model.first_outcome <= logged.seq <= model.last_outcome]
        assert model.learned == sum(logged.outcome.learnable for logged in within) > 0
        assert model == replace(model, created_at_us=int(model.model_id, 16))
