"""Checks the models of a loop: that they load, that one serves, that each follows from its parent."""

from collections.abc import Iterator, Sequence

from sartor.errors import Corrupt, InvalidPolicy, ModelNotFound
from sartor.ports import EngineFactory, LoopStores, ModelRegistry
from sartor.records import Model


def check_models(logs: LoopStores, factory: EngineFactory, /) -> list[str]:
    """Returns the problems of the models of a loop as sentences; empty without any."""
    live = logs.models.live()
    history = logs.models.history()
    last_outcome = logs.outcomes.counts().last_outcome  # read after the models, which never run ahead of it
    found = [*_check_lineage(history), *_check_bytes(logs.models, history, factory)]
    found += [
        f"Model {model.model_id} learned outcome {model.last_outcome}; the last one is {last_outcome}."
        for model in history
        if model.last_outcome > last_outcome
    ]
    if live is not None and live.model_id not in {model.model_id for model in history}:
        found.append(f"Model {live.model_id} serves and is not in the history.")
    return found


def _check_lineage(history: Sequence[Model]) -> Iterator[str]:
    known = {model.model_id: model for model in history}
    for model in history:
        if model.last_outcome < model.first_outcome - 1 or model.learned > _outcome_count(model):
            count = _outcome_count(model)
            yield f"Model {model.model_id} claims to have learned {model.learned} of {count} outcomes."
        if model.parent_id is not None and model.parent_id not in known:
            yield f"Model {model.model_id} comes from {model.parent_id}, which is not in the history."


def _outcome_count(model: Model) -> int:
    return model.last_outcome - model.first_outcome + 1


def _check_bytes(models: ModelRegistry, history: Sequence[Model], factory: EngineFactory) -> Iterator[str]:
    live = models.live()
    for model in history:
        try:
            factory(model.arguments, models.blob(model.model_id)).close()
        except ModelNotFound:
            if live is not None and model.model_id == live.model_id:
                yield f"The bytes of model {model.model_id}, which serves, are not there."
        except (Corrupt, InvalidPolicy) as error:
            yield f"Model {model.model_id} can't be loaded: {error}"
