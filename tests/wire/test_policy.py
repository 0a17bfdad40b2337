"""The learning settings on the wire (contract, section 1.6)."""

from collections.abc import Iterator

import pytest

from sartor.api.routing import versions
from sartor.api.routing.versions import Version
from sartor.management import loops
from sartor.settings import AZURE_ARGUMENTS, DEFAULT_ARGUMENTS, LoopSettings
from tests.wire.harness import Reply, Service
from tests.wire.test_versions import EACH, at

OWN = "--cb_explore_adf --epsilon 0.2 --cb_type ips -l 0.5 --power_t 0.5"


def policy(service: Service, method: str, body: object = b"", version: Version = versions.V1_0) -> Reply:
    return service.call(method, at(version, "/configurations/policy"), body)


@EACH
def test_a_new_loop_has_the_default_settings(service: Service, version: Version) -> None:
    reply = policy(service, "GET", version=version)
    assert reply.status == 200
    assert reply.json() == {"name": "default", "arguments": DEFAULT_ARGUMENTS}
    assert reply.headers["content-type"] == "application/json; charset=utf-8"


@EACH
def test_settings_are_replaced_and_put_back(service: Service, version: Version) -> None:
    requested = {"name": "mine", "arguments": OWN}
    replaced = policy(service, "PUT", requested, version)
    assert (replaced.status, replaced.json()) == (200, requested)
    assert policy(service, "GET", version=version).json() == requested
    assert (service.follow().policy_name, service.loop.arguments) == ("mine", OWN)
    reset = policy(service, "DELETE", version=version)
    assert reset.status == 200
    assert reset.json() == {"name": service.loop.loop_id, "arguments": DEFAULT_ARGUMENTS}
    assert policy(service, "GET", version=version).json() == reset.json()


def test_options_that_only_say_how_to_read_are_dropped(service: Service) -> None:
    requested = "--cb_explore_adf --epsilon 0.2 --dsjson --cb_type ips -l 0.5 --l1 1E-07 --power_t 0.5"
    reply = policy(service, "PUT", {"name": "published example", "arguments": requested})
    assert reply.json()["arguments"] == requested.replace(" --dsjson", "")


@pytest.fixture
def exploring() -> Iterator[Service]:
    made = Service(arguments=AZURE_ARGUMENTS, settings=LoopSettings(exploration_percentage=0.35))
    yield made
    made.close()


def test_the_number_after_epsilon_is_the_one_in_use(exploring: Service) -> None:
    assert policy(exploring, "GET").json()["arguments"] == AZURE_ARGUMENTS.replace("0.2", "0.35")


def exploration(service: Service, version: Version = versions.V1_0) -> object:
    return service.call("GET", at(version, "/configurations/service")).json()["explorationPercentage"]


@EACH
def test_whichever_exploration_is_set_last_counts_and_both_routes_show_it(
    service: Service, version: Version
) -> None:
    wanted = OWN.replace("0.2", "0.05")
    assert policy(service, "PUT", {"name": "mine", "arguments": wanted}, version).json()["arguments"] == wanted
    assert exploration(service, version) == 0.05
    whole = service.call("GET", at(version, "/configurations/service")).json()
    changed = service.call(
        "PUT", at(version, "/configurations/service"), whole | {"explorationPercentage": 0.35}
    )
    assert (changed.status, changed.json()["explorationPercentage"]) == (200, 0.35)
    served = OWN.replace("0.2", "0.35")
    assert policy(service, "GET", version=version).json()["arguments"] == served
    assert service.follow().effective_arguments == served
    policy(service, "PUT", {"name": "mine", "arguments": wanted}, version)
    assert exploration(service, version) == 0.05
    assert service.follow().effective_arguments == wanted


def test_settings_without_epsilon_leave_the_exploration_as_it_is(exploring: Service) -> None:
    assert policy(exploring, "DELETE").json()["arguments"] == DEFAULT_ARGUMENTS
    assert exploration(exploring) == 0.35
    policy(exploring, "PUT", {"name": "mine", "arguments": "--cb_explore_adf --softmax"})
    assert exploration(exploring) == 0.35


def test_what_is_shown_can_be_put_back_and_changes_nothing_that_serves(exploring: Service) -> None:
    shown = policy(exploring, "GET").json()
    assert policy(exploring, "PUT", shown).json() == shown
    assert exploration(exploring) == 0.35
    assert exploring.follow().edited_at_us == 0


@EACH
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("-q ::", "--cb_explore_adf"),
        ("", "--cb_explore_adf"),
        ("--cb_explore_adf -f model.vw", "-f"),
        ("--cb_explore_adf --final_regressor model.vw", "--final_regressor"),
        ("--cb_explore_adf --ccb_explore_adf", "ccb_explore_adf"),
        ("--cb_explore_adf --no_such_option", "--no_such_option"),
    ],
)
def test_settings_that_can_not_be_used_are_refused(
    service: Service, version: Version, arguments: str, says: str
) -> None:
    reply = policy(service, "PUT", {"name": "bad", "arguments": arguments}, version)
    assert (reply.status, reply.code) == (400, "InvalidPolicyConfiguration")
    assert reply.headers["x-ms-error-code"] == "InvalidPolicyConfiguration"
    assert says in reply.message
    assert policy(service, "GET", version=version).json()["arguments"] == DEFAULT_ARGUMENTS


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"not json", "not JSON"),
        ({}, "name"),
        ({"name": "x"}, "arguments"),
        ({"arguments": OWN}, "name"),
        ({"name": None, "arguments": OWN}, "name"),
        ({"name": "x", "arguments": 1}, "arguments"),
        ({"name": "x" * 257, "arguments": OWN}, "256"),
        ({"name": "x", "arguments": OWN + " " * 1024}, "1024"),
        ([], "object"),
    ],
)
def test_bodies_that_are_no_policy_are_refused(service: Service, body: object, says: str) -> None:
    reply = policy(service, "PUT", body)
    assert (reply.status, reply.code) == (400, "InvalidPolicyContract")
    assert says in reply.message
    assert service.follow().version == 1


def test_the_longest_names_are_accepted_and_unknown_members_ignored(service: Service) -> None:
    requested = {"name": "é" * 256, "arguments": OWN, "more": {"of": ["this"]}}
    assert policy(service, "PUT", requested).json() == {"name": "é" * 256, "arguments": OWN}


SEVERAL = "--ccb_explore_adf --epsilon 0.2 --cb_type mtr -q ::"


def test_settings_for_several_slots_make_a_loop_of_several_slots_for_good(service: Service) -> None:
    assert policy(service, "PUT", {"name": "slots", "arguments": SEVERAL}).json()["arguments"] == SEVERAL
    service.follow()
    assert service.rank({}).code == "InvalidApiAccess"
    back = policy(service, "PUT", {"name": "back", "arguments": OWN})
    assert (back.status, back.code) == (400, "InvalidPolicyConfiguration")
    reset = policy(service, "DELETE").json()["arguments"]
    assert reset == f"{DEFAULT_ARGUMENTS} --ccb_explore_adf"


def test_auto_optimization_is_turned_off_first(service: Service) -> None:
    loops.change_settings(service.stores, service.loop.name, {"isAutoOptimizationEnabled": True})
    reply = policy(service, "PUT", {"name": "slots", "arguments": SEVERAL})
    assert (reply.status, reply.code) == (403, "ProblemTypeIncompatibleWithAutoOptimization")
    loops.change_settings(service.stores, service.loop.name, {"isAutoOptimizationEnabled": False})
    assert policy(service, "PUT", {"name": "slots", "arguments": SEVERAL}).status == 200
