"""Which decisions are meant when something is to be erased."""

import pytest
from msgspec.structs import replace

from sartor.errors import InvalidRequest
from sartor.management.erasure_criteria import ErasureCriteria
from sartor.records import Action, Slot
from sartor.testing.builders import make_decision
from sartor.testing.events import MemoryEvents
from sartor.testing.fakes import Clock, Disk

CONTEXT = (
    b'[{"user":{"id":"42","age":30,"vip":true,"gone":null}},{"a.b":{"c.d":"dotted"},"v":[1,2.5]},'
    b'{"text":"\\u0041da \xc3\xa9"}]'
)
DECISION = replace(
    make_decision("event-1"),
    context=CONTEXT,
    actions=(Action("x", b'[{"owner":"grace"}]'), Action("y", b"[]")),
    slots=(
        Slot(
            id="s",
            features=b'[{"place":"top"}]',
            excluded=(),
            baseline=0,
            probabilities=(1.0, 0.0),
            ranking=(0, 1),
            chosen=0,
        ),
    ),
)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("user.id", "42"),
        ("user.age", "30"),
        ("user.age", "30.0"),
        ("user.vip", "true"),
        ("user.gone", "null"),
        ("a.b.c.d", "dotted"),
        ("v", "2.5"),
        ("text", "Ada é"),
        ("owner", "grace"),
        ("place", "top"),
    ],
)
def test_a_feature_with_this_value(path: str, value: str) -> None:
    assert ErasureCriteria(where={path: value}).matches(DECISION)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("user.id", "4"),
        ("user.id", "42.0"),
        ("user.id", ""),
        ("user", "42"),
        ("id", "42"),
        ("user.id.more", "42"),
        ("user.age", "thirty"),
        ("user.vip", "1"),
        ("v", "3"),
        ("owner", "GRACE"),
        ("a", "dotted"),
    ],
)
def test_not_a_feature_with_this_value(path: str, value: str) -> None:
    assert not ErasureCriteria(where={path: value}).matches(DECISION)


def test_all_features_must_hold() -> None:
    assert ErasureCriteria(where={"user.id": "42", "owner": "grace"}).matches(DECISION)
    assert not ErasureCriteria(where={"user.id": "42", "owner": "ada"}).matches(DECISION)


def test_an_event_id_or_features() -> None:
    assert ErasureCriteria(event_ids=("event-1",)).matches(DECISION)
    assert ErasureCriteria(event_ids=("event-1",), where={"user.id": "43"}).matches(DECISION)
    assert not ErasureCriteria(event_ids=("event-2",)).matches(DECISION)


@pytest.mark.parametrize("criteria", [ErasureCriteria(), ErasureCriteria(where={"": "x"})])
def test_nothing_is_not_everything(criteria: ErasureCriteria) -> None:
    with pytest.raises(InvalidRequest):
        criteria.check()


def test_the_whole_log_is_searched() -> None:
    log = MemoryEvents(clock_us=Clock(), disk=Disk())
    for number in range(1_200):
        user = b'[{"user":{"id":"%d"}}]' % (number % 400)
        log.append([replace(make_decision(f"event-{number}"), context=user)])
    assert list(ErasureCriteria(where={"user.id": "7"}).find(log)) == [8, 408, 808]
