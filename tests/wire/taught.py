"""A service whose loop has learned something: decisions, rewards and models, without HTTP."""

from sartor.learn.dumps import export_file
from sartor.records import Model
from sartor.runtime import compose
from sartor.settings import VW_ARGUMENTS
from tests.unit import instance
from tests.wire.harness import Service

FACTORY = compose.engine_factory()


class Taught(Service):
    """Goes on learning when it is told to."""

    def __init__(self, *, learned: int = 20, arguments: str = VW_ARGUMENTS) -> None:
        super().__init__(arguments=arguments)
        self.logs = self.stores.open(self.loop)
        self._played = 0
        self._later_s = 0.0
        if learned:
            self.learn(learned)

    def learn(self, count: int) -> Model:
        """So many decisions more, each rewarded; an export; the model serves."""
        instance.play(self.follow(), self.logs, FACTORY, first=self._played, count=count)
        self._played += count
        self._later_s += 600
        instance.learn(self.loop, self.logs, FACTORY, ahead_s=self._later_s)
        self.live.refresh()
        model = self.logs.models.live()
        assert model is not None
        return model

    def raw(self) -> bytes:
        """The live model as the file that is exported."""
        model = self.logs.models.live()
        assert model is not None
        return export_file(self.logs.models.blob(model.model_id)).content
