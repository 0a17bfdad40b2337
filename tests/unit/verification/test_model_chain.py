"""Models that can't be loaded, or don't descend from what they say, are found."""

from sartor.ports import LoopStores
from sartor.records import Model
from sartor.runtime import compose
from sartor.settings import VW_ARGUMENTS
from sartor.testing.builders import make_loop, make_model
from sartor.testing.stores import MemoryStores
from sartor.verification.model_chain import check_models


def blob() -> bytes:
    engine = compose.engine_factory()(VW_ARGUMENTS)
    try:
        return engine.dump()
    finally:
        engine.close()


def logs_with(*models: Model, stored: bytes | None = None) -> LoopStores:
    logs = MemoryStores().open(make_loop())
    for model in models:
        logs.models.publish(model, blob() if stored is None else stored, live=True)
    return logs


def found(logs: LoopStores) -> list[str]:
    return check_models(logs, compose.engine_factory())


def test_a_model_of_nothing_is_in_order() -> None:
    assert found(logs_with(make_model("m1"), make_model("m2", parent_id="m1"))) == []


def test_bytes_that_are_no_model_are_found() -> None:
    (problem,) = found(logs_with(make_model("m1"), stored=b"noise"))
    assert problem.startswith("Model m1 can't be loaded:")


def test_a_parent_that_never_was_is_found() -> None:
    (problem,) = found(logs_with(make_model("m1", parent_id="m0")))
    assert problem == "Model m1 comes from m0, which is not in the history."


def test_a_model_ahead_of_the_outcomes_is_found() -> None:
    (problem,) = found(logs_with(make_model("m1", last_outcome=5)))
    assert problem == "Model m1 learned outcome 5; the last one is 0."
