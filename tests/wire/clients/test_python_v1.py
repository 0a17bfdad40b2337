"""Every operation of azure-cognitiveservices-personalizer, the official Python client of v1.0."""

from importlib.metadata import version
from typing import Any

import pytest

from sartor.ports import Loop
from tests.wire.clients import page, python_v1
from tests.wire.clients.instance import Instance
from tests.wire.clients.python_v1 import models
from tests.wire.clients.record import Record

CLIENT = "azure-cognitiveservices-personalizer"
EVENT = "a/b é 🧵"

pytestmark = pytest.mark.filterwarnings(python_v1.OLD_CLOCK)


@pytest.fixture
def client(instance: Instance, loop: Loop) -> Any:
    return python_v1.client(instance.endpoint, loop.key1)


def test_the_page_lists_what_the_client_has(client: Any) -> None:
    owners = {"": client, "events.": client.events}
    has = {prefix + name for prefix, owner in owners.items() for name in page.methods(type(owner)) - {"close"}}
    assert version(CLIENT) == page.client(CLIENT).version
    assert has == set(page.client(CLIENT).rows)
    assert {page.test_of(operation) for operation in has} <= set(globals())


def test_rank(instance: Instance, loop: Loop, client: Any, record: Record) -> None:
    actions = [models.RankableAction(id=name, features=[{"taste": name}]) for name in ("pasta", "juice")]
    requested = models.RankRequest(actions=actions, context_features=[{"hour": 9}], event_id=EVENT)
    answer = client.rank(requested, raw=True)
    record.note("rank", answer.response.status_code)
    assert answer.output.event_id == EVENT
    assert [ranked.probability for ranked in answer.output.ranking] == [0.5, 0.5]
    logged = instance.decisions(loop, EVENT)[-1].decision
    assert logged.actions[logged.chosen].id == answer.output.reward_action_id


def test_events_reward(instance: Instance, loop: Loop, client: Any, record: Record) -> None:
    answer = client.events.reward("reward/1 é", 0.25, raw=True)
    record.note("events.reward", answer.response.status_code)
    assert instance.observations(loop, "reward/1 é") == [(None, 0.25)]


def test_events_activate(instance: Instance, loop: Loop, client: Any, record: Record) -> None:
    answer = client.events.activate("activate/1 é", raw=True)
    record.note("events.activate", answer.response.status_code)
    assert instance.observations(loop, "activate/1 é") == [(None, None)]
