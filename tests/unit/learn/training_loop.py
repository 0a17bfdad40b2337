"""A loop in training: stores in memory, a clock that is moved by hand, and a trainer that can be killed."""

from datetime import timedelta

from msgspec.structs import replace

from sartor.learn.engines import create_engine
from sartor.learn.trainer import Trainer, relearn
from sartor.learn.training_data import read_examples
from sartor.records import Cursor, Model, Outcome, Settlement
from sartor.settings import VW_ARGUMENTS, LoopSettings
from sartor.testing.builders import make_loop, make_outcome
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores
from tests.unit.learn.samples import REWARDS, answers, make_decision

REQUESTS = range(10_000, 10_010)
EVERY_MINUTE = LoopSettings(model_export_frequency=timedelta(minutes=1))
ENGINES = {"Vowpal Wabbit": VW_ARGUMENTS, "second order": "--sartor"}
"""Learning settings of each engine, by its name."""


class Training:
    """Stores in memory, a clock, and a trainer that can be killed."""

    def __init__(self, *, settings: LoopSettings = EVERY_MINUTE, arguments: str = VW_ARGUMENTS) -> None:
        self.clock = Clock()
        self.stores = MemoryStores(clock_us=self.clock)
        self.loop = make_loop(settings=settings, arguments=arguments)
        self.log = self.stores.open(self.loop)
        self.models = self.log.models
        self.restart()

    def restart(self) -> None:
        """What a crash leaves: the stores, and a trainer that knows nothing."""
        self.trainer = Trainer(self.log.events, self.log.outcomes, self.models, create_engine)

    def settle(self, count: int, *, learnable: bool = True) -> None:
        """Log and settle more decisions, now."""
        first = self.log.outcomes.counts().last_outcome + 1
        seqs = range(first, first + count)
        self.log.events.append([make_decision(seq) for seq in seqs])
        outcomes = tuple(self._outcome(seq, learnable=learnable) for seq in seqs)
        self.log.outcomes.record(Settlement(outcomes=outcomes, unmatched=(), cursor=Cursor()))

    def _outcome(self, seq: int, *, learnable: bool) -> Outcome:
        outcome = make_outcome(seq, reward=REWARDS[seq % len(REWARDS)])
        return replace(outcome, learnable=learnable, settled_at_us=self.clock())

    def step(self, *, limit: int = 5_000) -> int:
        return self.trainer.step(self.loop, now_us=self.clock(), limit=limit)

    def change(self, *, arguments: str | None = None, **settings: object) -> None:
        """Change the loop, as the catalog would."""
        new = replace(self.loop.settings, **settings)
        loop = replace(self.loop, settings=new, version=self.loop.version + 1)
        self.loop = replace(loop, arguments=arguments) if arguments is not None else loop

    def reset(self) -> None:
        """Start with the next outcome, without a model, as a service does."""
        following = self.log.outcomes.counts().last_outcome + 1
        self.loop = replace(self.loop, generation=self.loop.generation + 1, first_outcome=following)
        self.models.promote(None)

    def import_model(self, blob: bytes) -> Model:
        """Import a model in a generation of its own, as a service would."""
        counts = self.log.outcomes.counts()
        generation = self.loop.generation + 1
        model_id = f"imported-{generation}"
        model = Model(
            model_id=model_id,
            parent_id=None,
            arguments=self.loop.arguments,
            settings_version=self.loop.version,
            first_outcome=counts.last_outcome + 1,
            last_outcome=counts.last_outcome,
            learned=0,
            created_at_us=self.clock(),
            generation=generation,
            base_id=model_id,
            revision=counts.revision,
        )
        self.models.publish(model, blob, live=True)
        self.loop = replace(self.loop, generation=generation, first_outcome=model.first_outcome)
        return model

    def amend(self, number: int, **changes: object) -> None:
        """Change an outcome that was settled before."""
        (logged,) = self.log.outcomes.outcomes(after=number - 1, limit=1)
        self.log.outcomes.amend([replace(logged.outcome, **changes)])

    def forget(self, count: int) -> None:
        """Lose the first decisions and their outcomes."""
        (after,) = self.log.outcomes.outcomes(after=count, limit=1)
        last = self.log.outcomes.counts().last_outcome
        settled = Settlement(outcomes=(), unmatched=(), cursor=Cursor(after.outcome.decision_seq - 1, 0))
        self.log.outcomes.record(settled)
        self.stores.apply_retention(self.loop, before_us=self.clock() + 1)
        assert self.log.outcomes.counts().first_outcome == min(count + 1, last)

    def lines(self) -> list[bytes]:
        """What there is to learn."""
        found = read_examples(self.log.events, self.log.outcomes, after=0, limit=10_000)
        return [line for example in found if (line := example.encode_line()) is not None]

    @property
    def newest(self) -> Model:
        return self.models.history()[0]

    def assert_newest_equals_a_replay(self) -> None:
        stored = create_engine(self.newest.arguments, self.models.blob(self.newest.model_id))
        again = relearn(
            self.newest,
            events=self.log.events,
            outcomes=self.log.outcomes,
            models=self.models,
            factory=create_engine,
        )
        assert answers(stored, REQUESTS) == answers(again, REQUESTS)
