"""A loop whose learning settings begin with --sartor, on the wire."""

import io
import zipfile
from collections.abc import Iterator

import pytest

from sartor.api.routing.versions import FROM_PREVIEW_3, PREVIEW_3, V1_0, Version
from sartor.learn.second_order.arguments import SecondOrderSettings
from sartor.settings import LoopSettings
from tests.wire.harness import Reply, Service
from tests.wire.taught import Taught
from tests.wire.test_versions import EACH, at

OWN = "--sartor --gamma_scale 20 --columns 64"
PAIRS = SecondOrderSettings().pairs
VOWPAL_WABBIT = "--cb_explore_adf --squarecb --cb_type mtr -q ::"


@pytest.fixture
def taught() -> Iterator[Taught]:
    made = Taught(arguments=OWN)
    yield made
    made.close()


def policy(service: Service, method: str, arguments: str = "", version: Version = V1_0) -> Reply:
    body = {"name": "mine", "arguments": arguments} if method == "PUT" else b""
    return service.call(method, at(version, "/configurations/policy"), body)


def put(service: Service, body: bytes) -> Reply:
    headers = {"content-type": "application/octet-stream"}
    return service.call("PUT", at(PREVIEW_3, "/model"), body, headers=headers)


def signed(service: Service, version: Version = PREVIEW_3) -> Reply:
    path = at(version, "/model")
    return service.call("GET", f"{path}{'&' if '?' in path else '?'}signed=true")


@EACH
def test_the_raw_model_is_the_dump(taught: Taught, version: Version) -> None:
    reply = taught.call("GET", at(version, "/model"))
    assert (reply.status, reply.body) == (200, taught.raw())
    assert reply.headers["content-disposition"] == "attachment; filename=model.sartor"
    assert reply.body.startswith(b"sartor-second-order-")


@pytest.mark.parametrize("version", FROM_PREVIEW_3, ids=lambda version: version.name)
def test_a_signed_model_is_put_back_and_training_goes_on(taught: Taught, version: Version) -> None:
    reply, before = signed(taught, version), taught.raw()
    assert reply.headers["content-disposition"] == "attachment; filename=model.sartor.zip"
    with zipfile.ZipFile(io.BytesIO(reply.body)) as archive:
        assert archive.namelist() == ["model.sartor", "signer.der", "sha512_signature.bin"]
        assert archive.read("model.sartor") == before
    assert taught.call("DELETE", at(version, "/model")).status == 204
    assert put(taught, reply.body).status == 204
    assert taught.raw() == before
    assert taught.learn(3).learned == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (VOWPAL_WABBIT, "for Vowpal Wabbit, the model is for --sartor"),
        ("--sartor --columns 32", "--columns 64, the loop's learning settings say 32"),
        ("--sartor --columns 64 --pairs 0", f"--pairs {PAIRS}, the loop's learning settings say 0"),
    ],
)
def test_a_model_that_does_not_fit_is_refused_with_the_reason(
    taught: Taught, arguments: str, says: str
) -> None:
    package = signed(taught).body
    assert policy(taught, "PUT", arguments).status == 200
    reply = put(taught, package)
    assert (reply.status, reply.code) == (400, "invalidModelImportFormat")
    assert says in reply.message


def test_a_model_of_vowpal_wabbit_is_refused(taught: Taught) -> None:
    assert policy(taught, "PUT", VOWPAL_WABBIT).status == 200
    taught.learn(3)
    package = signed(taught).body
    assert policy(taught, "PUT", OWN).status == 200
    reply = put(taught, package)
    assert (reply.status, reply.code) == (400, "invalidModelImportFormat")
    assert "for --sartor, the model is for Vowpal Wabbit" in reply.message


def test_a_model_with_other_exploration_is_taken(taught: Taught) -> None:
    package = signed(taught).body
    assert policy(taught, "PUT", "--sartor --gamma_scale 5 --columns 64 --epsilon 0.1").status == 200
    assert put(taught, package).status == 204


def test_a_zip_with_two_models_is_refused(taught: Taught) -> None:
    package = io.BytesIO(signed(taught).body)
    with zipfile.ZipFile(package, "a") as archive:
        archive.writestr("model.vw", b"another")
    reply = put(taught, package.getvalue())
    assert (reply.status, reply.code) == (400, "invalidModelImportFormat")
    assert "one model, called model.vw or model.sartor" in reply.message


def test_a_change_of_the_engine_learns_the_log_again(taught: Taught) -> None:
    assert policy(taught, "PUT", VOWPAL_WABBIT).status == 200
    assert taught.learn(3).learned == 23
    assert policy(taught, "PUT", OWN).status == 200
    model = taught.learn(2)
    assert (model.learned, model.arguments) == (25, OWN)


@EACH
def test_settings_are_read_replaced_and_reset(service: Service, version: Version) -> None:
    before = policy(service, "GET", version=version).json()["arguments"]
    replaced = policy(service, "PUT", "--sartor  --gamma_scale=20 --columns 64", version)
    assert (replaced.status, replaced.json()) == (200, {"name": "mine", "arguments": OWN})
    assert policy(service, "GET", version=version).json() == replaced.json()
    assert policy(service, "DELETE", version=version).json()["arguments"] == before


@EACH
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--sartor --cb_explore_adf", "--cb_explore_adf"),
        ("--cb_explore_adf --sartor", "--sartor"),
        ("--sartor --no_such_option", "--no_such_option"),
        ("--sartor -f model.vw", "-f"),
        ("--sartor --columns", "--columns needs a value"),
        ("--sartor --columns 1000", "--columns takes a whole number from 16 to 256"),
        ("--sartor --epsilon nan", "--epsilon takes a number from 0 to 1"),
        ("--sartor --pairs 3 --pairs 4", "--pairs"),
        ("--sartor --epsilon '0.1", "quotation"),
    ],
)
def test_settings_that_can_not_be_used_are_refused(
    service: Service, version: Version, arguments: str, says: str
) -> None:
    reply = policy(service, "PUT", arguments, version)
    assert (reply.status, reply.code) == (400, "InvalidPolicyConfiguration")
    assert says in reply.message


@pytest.mark.parametrize("arguments", ["--sartor", "--sartor --epsilon 0.35"])
def test_exploration_is_one_number_in_both_routes(service: Service, arguments: str) -> None:
    configuration = at(V1_0, "/configurations/service")
    policy(service, "PUT", arguments)
    whole = service.call("GET", configuration).json()
    assert whole["explorationPercentage"] == (
        0.35 if "epsilon" in arguments else LoopSettings().exploration_percentage
    )
    assert service.call("PUT", configuration, whole | {"explorationPercentage": 0.1}).status == 200
    shown = policy(service, "GET").json()["arguments"]
    assert shown == arguments.replace("0.35", "0.1")
    assert service.follow().effective_arguments == shown


@EACH
def test_settings_for_several_slots_turn_the_loop_into_one_of_several(taught: Taught, version: Version) -> None:
    reply = policy(taught, "PUT", "--sartor --ccb_explore_adf", version)
    assert (reply.status, reply.json()["arguments"]) == (200, "--sartor --ccb_explore_adf")
    assert taught.follow().has_several_slots
    assert taught.logs.models.live() is None
    assert policy(taught, "PUT", "--sartor", version).status == 400
    reset = policy(taught, "DELETE", version=version).json()["arguments"]
    assert "--ccb_explore_adf" in str(reset)
