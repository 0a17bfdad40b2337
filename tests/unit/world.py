"""A loop for tests of changes of its models: it learned 20 outcomes in one model, on stores in memory."""

from sartor.dsjson.context_json import encode_context
from sartor.learn.dumps import export_file
from sartor.learn.trainer import relearn
from sartor.management import loops, models
from sartor.ports import Engine, EngineFactory, Loop
from sartor.records import Model
from sartor.runtime import compose
from sartor.testing.stores import MemoryLoopStores, MemoryStores
from tests.unit import instance

FACTORY: EngineFactory = compose.engine_factory()


class World:
    """A loop that learned some outcomes in one model."""

    def __init__(self, *, learned: int = 20) -> None:
        self.stores = MemoryStores()
        loops.create_loop(self.stores, "default")
        self.logs: MemoryLoopStores = self.stores.open(self.loop)
        self.played = 0
        self.later_s = 0.0
        if learned:
            self.train(learned)

    @property
    def loop(self) -> Loop:
        return loops.find_loop(self.stores, "default")

    @property
    def live(self) -> Model | None:
        return self.logs.models.live()

    def train(self, count: int) -> Model:
        """Decisions, rewards, learning, an export."""
        instance.play(self.loop, self.logs, FACTORY, first=self.played, count=count)
        self.played += count
        self.later_s += 600
        instance.learn(self.loop, self.logs, FACTORY, ahead_s=self.later_s)
        model = self.live
        assert model is not None
        return model

    def raw(self) -> bytes:
        model = self.live
        assert model is not None
        return export_file(self.logs.models.blob(model.model_id)).content

    def signed(self) -> bytes:
        return models.export_signed(self.stores, self.raw())

    def probabilities(self, model: Model) -> list[float]:
        """The probabilities that the model gives to the actions of one request."""
        return _predict(FACTORY(model.arguments, self.logs.models.blob(model.model_id)))

    def replay_probabilities(self, model: Model) -> list[float]:
        """The probabilities of an engine that learned the same as the model."""
        logs = self.logs
        return _predict(
            relearn(model, events=logs.events, outcomes=logs.outcomes, models=logs.models, factory=FACTORY)
        )


def _predict(engine: Engine) -> list[float]:
    answer = engine.probabilities(
        encode_context(b'[{"device":"mobile"}]', instance.ACTIONS), len(instance.ACTIONS)
    )
    engine.close()
    return answer
