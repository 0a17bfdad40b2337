"""A loop of several slots that plays and learns in this process: nothing but HTTP is left out."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sartor.explore.decide import decide
from sartor.explore.slots import decide_slots
from sartor.inference import request_probabilities, slot_predictor
from sartor.learn.trainer import Trainer
from sartor.log.settler import Settler
from sartor.ports import Engine, EngineFactory, Loop, LoopStores
from sartor.records import NO_MODEL, Action, Decision, MultiSlotInput, Observation, RankInput, SlotInput

ACTIONS = tuple(Action(f"action-{n}", b'[{"topic":"t%d"}]' % n) for n in range(3))
SLOTS = (
    SlotInput(id="top", features=b'[{"place":"top"}]', baseline=0),
    SlotInput(id="side", features=b'[{"place":"side"}]', baseline=1, excluded=(2,)),
)


def make_request(event_id: str) -> MultiSlotInput:
    """A request for two slots; the second does not take the third action."""
    return MultiSlotInput(event_id=event_id, context=b'[{"device":"mobile"}]', actions=ACTIONS, slots=SLOTS)


@contextmanager
def open_live_engine(logs: LoopStores, factory: EngineFactory) -> Iterator[tuple[Engine | None, str]]:
    """Opens an engine with the live model; yields it with the id of the model."""
    live = logs.models.live()
    if live is None:
        yield None, NO_MODEL
        return
    engine = factory(live.arguments, logs.models.blob(live.model_id))
    try:
        yield engine, live.model_id
    finally:
        engine.close()


def fill(loop: Loop, logs: LoopStores, factory: EngineFactory, *, first: int, count: int) -> list[Decision]:
    """Decisions ``event-first`` …; the third action on top and the first at the side are worth something."""
    made = []
    with open_live_engine(logs, factory) as (engine, model_id):
        for number in range(first, first + count):
            request = make_request(f"event-{number}")
            decision = decide_slots(
                request,
                predict=slot_predictor(engine, request),
                loop_id=loop.loop_id,
                model_id=model_id,
                settings_version=loop.version,
                mode=loop.settings.learning_mode,
            )
            top, side = decision.slots
            rewards = [
                Observation(event_id=request.event_id, reward=float(top.chosen == 2), slot="top"),
                Observation(event_id=request.event_id, reward=float(side.chosen == 0), slot="side"),
            ]
            logs.events.append([decision, *rewards])
            made.append(decision)
    return made


def play(loop: Loop, logs: LoopStores, factory: EngineFactory, *, first: int, count: int) -> list[Decision]:
    """The same for a loop of a single slot; the third action is worth something."""
    made = []
    with open_live_engine(logs, factory) as (engine, model_id):
        for number in range(first, first + count):
            request = RankInput(event_id=f"event-{number}", context=b'[{"device":"mobile"}]', actions=ACTIONS)
            decision = decide(
                request,
                probabilities=request_probabilities(engine, request),
                loop_id=loop.loop_id,
                model_id=model_id,
                settings_version=loop.version,
                mode=loop.settings.learning_mode,
            )
            reward = Observation(event_id=request.event_id, reward=float(decision.chosen == 2))
            logs.events.append([decision, reward])
            made.append(decision)
    return made


def learn(loop: Loop, logs: LoopStores, factory: EngineFactory, *, ahead_s: float = 0.0) -> None:
    """Settle and learn everything; ``ahead_s`` puts the trainer's clock ahead, so that an export is due."""
    while Settler(logs.events, logs.outcomes).step(loop.settings, settings_version=loop.version):
        pass
    trainer = Trainer(logs.events, logs.outcomes, logs.models, factory)
    trainer.step(loop, now_us=time.time_ns() // 1_000 + round(ahead_s * 1_000_000))
    trainer.close()
