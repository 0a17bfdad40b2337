"""The live model of a serving process: swapped between two requests, kept if its successor can't be loaded."""

import logging

from sartor.errors import Corrupt, InvalidPolicy, ModelNotFound
from sartor.ports import Engine, EngineFactory, ModelRegistry
from sartor.records import NO_MODEL, Model

_log = logging.getLogger(__name__)


class LiveModel:
    """The engine that serves in this process. Call ``refresh`` often; everything else only reads attributes."""

    def __init__(self, models: ModelRegistry, factory: EngineFactory, /) -> None:
        self._models = models
        self._factory = factory
        self._model: Model | None = None
        self._broken: str | None = None
        self.engine: Engine | None = None
        """None before there is a model, or after a rollback to none: decisions are uniform."""
        self.problem: str | None = None
        """Why the model that is live does not serve, for the health check; None: it does."""

    @property
    def model_id(self) -> str:
        """The id of the model that serves, ``N/A`` for none."""
        return NO_MODEL if self._model is None else self._model.model_id

    @property
    def arguments(self) -> str | None:
        """The learning settings of the model that serves; None without one."""
        return None if self._model is None else self._model.arguments

    def refresh(self) -> bool:
        """Swap to the model that is live in the registry, if it is another one; returns whether it did.

        A model that can't be loaded is not tried again until another one is live; the old one keeps serving.
        Loading takes about 4 ms; on the event loop's thread, no request sees half of a swap.

        Raises:
            StoreUnavailable: the registry can't be read, or a temporary file can't be written; the old model
                keeps serving, and the next call tries again.
        """
        model = self._models.live()
        wanted = None if model is None else model.model_id
        if wanted == (None if self._model is None else self._model.model_id):
            self._broken = self.problem = None
            return False
        if wanted is not None and wanted == self._broken:
            return False
        return self._swap(model)

    def close(self) -> None:
        """Free the engine; idempotent."""
        engine, self.engine, self._model = self.engine, None, None
        if engine is not None:
            engine.close()

    def _swap(self, model: Model | None) -> bool:
        try:
            engine = None if model is None else self._load(model)
        except (ModelNotFound, Corrupt, InvalidPolicy) as error:
            self._broken = model.model_id if model else None
            self.problem = f"Model {self._broken} can't be loaded: {error}"
            _log.error("%s; %s keeps serving.", self.problem, self.model_id, extra={"action": "swap"})
            return False
        old, self.engine, self._model = self.engine, engine, model
        self._broken = self.problem = None
        if old is not None:
            old.close()
        return True

    def _load(self, model: Model) -> Engine:
        return self._factory(model.arguments, self._models.blob(model.model_id))
