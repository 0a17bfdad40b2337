"""A loop of Vowpal Wabbit whose numbers are prepared, on the wire."""

import io
import zipfile
from collections.abc import Iterator

import pytest

from sartor.api.routing.versions import PREVIEW_3, V1_0
from sartor.deploy.live_model import LiveModel
from sartor.learn.engines import create_engine
from sartor.learn.trainer import relearn
from tests.unit.learn.samples import answers
from tests.wire.harness import Reply, Service
from tests.wire.taught import Taught
from tests.wire.test_versions import at

PLAIN = "--cb_explore_adf --squarecb --cb_type mtr -q ::"
OWN = f"{PLAIN} --prepare"


@pytest.fixture
def taught() -> Iterator[Taught]:
    made = Taught(arguments=OWN)
    yield made
    made.close()


def put_policy(service: Service, arguments: str) -> Reply:
    return service.call("PUT", at(V1_0, "/configurations/policy"), {"name": "mine", "arguments": arguments})


def put_model(service: Service, body: bytes) -> Reply:
    headers = {"content-type": "application/octet-stream"}
    return service.call("PUT", at(PREVIEW_3, "/model"), body, headers=headers)


def get_signed(service: Service) -> Reply:
    return service.call("GET", f"{at(PREVIEW_3, '/model')}?signed=true")


def test_its_model_is_one_file_with_the_preparation(taught: Taught) -> None:
    reply = taught.call("GET", at(V1_0, "/model"))
    assert (reply.status, reply.body) == (200, taught.raw())
    assert reply.headers["content-disposition"] == "attachment; filename=model.sartor"
    assert reply.body.startswith(b"sartor-prepared-")


def test_a_process_that_ranks_loads_it(taught: Taught) -> None:
    live = LiveModel(taught.logs.models, create_engine)
    assert live.refresh()
    assert live.engine is not None
    saved = create_engine(OWN, taught.raw())
    assert answers(live.engine, range(8)) == answers(saved, range(8))
    assert taught.live.problem is None
    live.close()


def test_a_signed_model_is_put_back_and_training_goes_on(taught: Taught) -> None:
    package, before = get_signed(taught).body, taught.raw()
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        assert archive.namelist() == ["model.sartor", "signer.der", "sha512_signature.bin"]
    assert taught.call("DELETE", at(PREVIEW_3, "/model")).status == 204
    assert put_model(taught, package).status == 204
    assert taught.raw().startswith(before[:18])
    assert taught.learn(3).learned == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(PLAIN, "made with --prepare"), ("--sartor", "for Vowpal Wabbit"), (f"{OWN} --coin", "without --coin")],
)
def test_a_model_that_does_not_fit_is_refused_with_the_reason(
    taught: Taught, arguments: str, says: str
) -> None:
    package = get_signed(taught).body
    assert put_policy(taught, arguments).status == 200
    reply = put_model(taught, package)
    assert (reply.status, reply.code) == (400, "invalidModelImportFormat")
    assert says in reply.message


def test_a_model_without_preparation_is_refused(taught: Taught) -> None:
    assert put_policy(taught, PLAIN).status == 200
    taught.learn(3)
    package = get_signed(taught).body
    assert put_policy(taught, OWN).status == 200
    reply = put_model(taught, package)
    assert (reply.status, reply.code) == (400, "invalidModelImportFormat")
    assert "made without --prepare" in reply.message


def test_the_live_model_is_what_its_log_teaches(taught: Taught) -> None:
    model = taught.learn(20)
    logs = taught.logs
    again = relearn(
        model, events=logs.events, outcomes=logs.outcomes, models=logs.models, factory=create_engine
    )
    saved = create_engine(OWN, logs.models.blob(model.model_id))
    assert answers(again, range(8)) == answers(saved, range(8))


def test_exploration_is_one_number_beside_the_preparation(taught: Taught) -> None:
    configuration = at(V1_0, "/configurations/service")
    assert put_policy(taught, "--cb_explore_adf --prepare --epsilon 0.35").status == 200
    whole = taught.call("GET", configuration).json()
    assert whole["explorationPercentage"] == 0.35
    assert taught.call("PUT", configuration, whole | {"explorationPercentage": 0.1}).status == 200
    shown = taught.call("GET", at(V1_0, "/configurations/policy")).json()["arguments"]
    assert shown == "--cb_explore_adf --epsilon 0.1 --prepare"
    assert taught.learn(2).learned > 2


def test_settings_for_several_slots_can_prepare_too(taught: Taught) -> None:
    reply = put_policy(taught, "--ccb_explore_adf --prepare")
    assert (reply.status, reply.json()["arguments"]) == (200, "--ccb_explore_adf --prepare")
    assert taught.follow().has_several_slots


@pytest.mark.parametrize("arguments", ["--prepare", f"{OWN} --prepare", f"{PLAIN} --prepare=1"])
def test_settings_that_can_not_be_used_are_refused(service: Service, arguments: str) -> None:
    reply = put_policy(service, arguments)
    assert (reply.status, reply.code) == (400, "InvalidPolicyConfiguration")
