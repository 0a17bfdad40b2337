"""A small instance for tests, made by the real rooms without HTTP: decisions, rewards, training examples."""

import time
from pathlib import Path

from sartor.dsjson.context_json import encode_context
from sartor.explore.decide import decide
from sartor.inference import uniform_probabilities
from sartor.learn.trainer import Trainer
from sartor.log.settler import Settler
from sartor.management import loops
from sartor.ports import EngineFactory, Loop, LoopStores
from sartor.records import NO_MODEL, Decision, Observation, RankInput
from sartor.runtime import compose
from sartor.settings import VW_ARGUMENTS
from sartor.testing.builders import make_action

ACTIONS = tuple(make_action(number) for number in range(3))


def decide_event(event_id: str, loop: Loop, logs: LoopStores, factory: EngineFactory) -> Decision:
    """Decides an event with the live model."""
    request = RankInput(event_id=event_id, context=b'[{"device":"mobile"}]', actions=ACTIONS)
    live = logs.models.live()
    if live is None:
        probabilities = uniform_probabilities(len(ACTIONS))
    else:
        engine = factory(live.arguments, logs.models.blob(live.model_id))
        probabilities = engine.probabilities(encode_context(request.context, ACTIONS), len(ACTIONS))
        engine.close()
    return decide(
        request,
        probabilities=probabilities,
        loop_id=loop.loop_id,
        model_id=NO_MODEL if live is None else live.model_id,
        settings_version=loop.version,
    )


def play(loop: Loop, logs: LoopStores, factory: EngineFactory, *, first: int, count: int) -> None:
    """Decisions ``event-first`` …, each rewarded by what was chosen."""
    for number in range(first, first + count):
        decision = decide_event(f"event-{number}", loop, logs, factory)
        logs.events.append(
            [decision, Observation(event_id=decision.event_id, reward=float(decision.chosen == 1))]
        )


def learn(loop: Loop, logs: LoopStores, factory: EngineFactory, *, ahead_s: float) -> None:
    """Settles and learns; ``ahead_s`` tells the trainer a later time, so that an export is due."""
    Settler(logs.events, logs.outcomes).step(loop.settings, settings_version=loop.version)
    trainer = Trainer(logs.events, logs.outcomes, logs.models, factory)
    trainer.step(loop, now_us=time.time_ns() // 1_000 + round(ahead_s * 1_000_000))
    trainer.close()


def create_trained_folder(folder: Path) -> Path:
    """A data folder: 'default' learned 40 outcomes in two models (Vowpal Wabbit), and one decision is open."""
    factory = compose.engine_factory()
    with (
        compose.open_instance(str(folder), must_exist=False) as stores,
        loops.open_loop(stores, loops.create_loop(stores, "default")) as logs,
    ):
        loop = loops.set_policy(stores, "default", VW_ARGUMENTS)
        play(loop, logs, factory, first=0, count=20)
        learn(loop, logs, factory, ahead_s=0)
        play(loop, logs, factory, first=20, count=20)
        learn(loop, logs, factory, ahead_s=600)
        logs.events.append([decide_event("open", loop, logs, factory)])
    return folder
