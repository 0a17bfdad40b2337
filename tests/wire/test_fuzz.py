"""Whatever comes in, the service answers, never with 5xx, and the next good request is served."""

import json
import math
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sartor.api.dataplane import validation_errors
from sartor.api.dataplane.decoding import RequestDecoder
from sartor.errors import InvalidRequest, PayloadTooLarge
from sartor.settings import Limits
from tests.wire.harness import PREFIX, Reply, Service, articles

FUZZ = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

COMMANDS = [
    "_multi",
    "_slots",
    "_label",
    "_label_cost",
    "_label_probability",
    "_label_Action",
    "_labelIndex",
    "_tag",
    "_inc",
    "_text",
    "_id",
    "_original_label_cost",
    "_skipLearn",
    "a",
    "c",
    "p",
    "FromUrl",
    "é",
    "🧵",
    "\x80",
    "i",
    "j",
    "|",
    ":",
    " ",
    "\n",
    "\\",
    '"',
]

texts = st.text(max_size=20)
names = st.sampled_from(COMMANDS) | texts
numbers = st.integers() | st.floats(allow_nan=True) | st.floats(-1e15, 1e15) | st.integers(-(10**15), 10**15)
scalars = st.none() | st.booleans() | numbers | texts | st.lists(numbers, max_size=5)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)

fair_numbers = st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15)
fair_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
fair_names = st.sampled_from(COMMANDS) | fair_texts.filter(bool)
fair_scalars = st.booleans() | fair_numbers | fair_texts | st.lists(fair_numbers, min_size=1, max_size=5)
fair_values = st.recursive(
    fair_scalars, lambda inner: st.dictionaries(fair_names, inner, min_size=1, max_size=4), max_leaves=8
)
fair_features = st.lists(
    st.dictionaries(fair_names, fair_values, min_size=1, max_size=4), min_size=1, max_size=3
)
fair_ids = fair_texts.filter(bool)


def _fair_rank(ids: list[str]) -> st.SearchStrategy[dict[str, object]]:
    actions = st.tuples(
        *(st.fixed_dictionaries({"id": st.just(one), "features": fair_features}) for one in ids)
    )
    return st.fixed_dictionaries(
        {"actions": actions.map(list)},
        optional={
            "contextFeatures": st.none() | fair_features,
            "excludedActions": st.lists(st.sampled_from(ids[1:] or ["other"]), max_size=3),
            "eventId": fair_ids,
            "deferActivation": st.booleans(),
        },
    )


fair_ranks = st.lists(fair_ids, min_size=1, max_size=6, unique=True).flatmap(_fair_rank)
odd_actions = st.fixed_dictionaries(
    {"id": names | anything, "features": st.lists(anything, max_size=3) | anything}
)
odd_ranks = st.fixed_dictionaries(
    {"actions": st.lists(odd_actions | anything, max_size=4) | anything},
    optional={
        "contextFeatures": anything,
        "excludedActions": st.lists(names) | anything,
        "eventId": texts | anything,
        "deferActivation": st.booleans() | anything,
    },
)
bodies = st.binary(max_size=200) | anything.map(lambda value: json.dumps(value).encode())


def _serves_on(service: Service) -> None:
    reply = service.rank(articles(4))
    ranking = reply.json()["ranking"]
    assert isinstance(ranking, list)
    assert (reply.status, len(ranking)) == (201, 4)
    assert math.isclose(sum(action["probability"] for action in ranking), 1, abs_tol=1e-9)


def _is_an_answer(reply: Reply) -> bool:
    return reply.status in (201, 204) or (400 <= reply.status < 500 and bool(reply.code and reply.message))


@FUZZ
@given(body=bodies)
def test_any_body_on_any_route(trained: Service, body: bytes) -> None:
    calls: list[Callable[[], Reply]] = [
        lambda: trained.rank(body),
        lambda: trained.reward("e", body),
        lambda: trained.activate("e", body),
    ]
    assert all(_is_an_answer(call()) for call in calls)
    _serves_on(trained)


@FUZZ
@given(body=odd_ranks)
def test_odd_ranks(trained: Service, body: dict[str, object]) -> None:
    assert _is_an_answer(trained.rank(body))
    _serves_on(trained)


@FUZZ
@given(body=fair_ranks)
def test_fair_ranks_are_ranked_whatever_their_features_are_called(
    trained: Service, body: dict[str, list[dict[str, object]]]
) -> None:
    reply = trained.rank(body)
    assert reply.status == 201, reply
    ranking = reply.json()["ranking"]
    assert isinstance(ranking, list)
    assert sorted(action["id"] for action in ranking) == sorted(str(action["id"]) for action in body["actions"])
    assert math.isclose(sum(action["probability"] for action in ranking), 1, abs_tol=1e-9)
    _serves_on(trained)


@FUZZ
@given(value=anything)
def test_rewards(trained: Service, value: object) -> None:
    reply = trained.reward("e", {"value": value})
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    assert reply.status == (204 if is_number and abs(value) <= 1e50 else 400)  # type: ignore[arg-type]


@FUZZ
@given(path=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#"), max_size=40))
def test_any_event_id(trained: Service, path: str) -> None:
    for operation in ("reward", "activate"):
        reply = trained.call("POST", f"{PREFIX}/events/{path}/{operation}", {"value": 1})
        assert _is_an_answer(reply)


@FUZZ
@given(body=odd_ranks | fair_ranks)
def test_the_two_readings_of_the_contract_agree(body: dict[str, object]) -> None:
    """What the typed decoder accepts has nothing to complain of, and the other way round."""
    raw = json.dumps(body).encode()
    decoder = RequestDecoder(Limits(), new_event_id=lambda: "made")
    accepted = _passes(lambda: decoder.rank(raw))
    spotless = _passes(lambda: validation_errors.check_rank(validation_errors.parse_json(raw)))
    assert spotless or not accepted


def _passes(check: Callable[[], object]) -> bool:
    try:
        check()
    except (InvalidRequest, PayloadTooLarge):
        return False
    return True


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("|", ":", " ", "\n", "\\", '"')])
@pytest.mark.parametrize(
    "value",
    [1, "x", True, {"x": 1}, [1, 2], {"_multi": {"x": 1}}, {"_label_cost": -1}, "0:-1:0.5"],
    ids=repr,
)
def test_no_name_acts_as_a_command(trained: Service, name: str, value: object) -> None:
    plain = articles(3, eventId="the same")
    hostile = articles(3, eventId="the same")
    hostile["contextFeatures"] = [{"device": "mobile"}, {"hour": 9}, {name: value}]
    hostile["actions"] = [
        {"id": f"article-{number}", "features": [{"topic": f"t{number}"}, {name: value}]} for number in range(3)
    ]
    reply = trained.rank(hostile)
    ranking = reply.json().get("ranking")
    assert isinstance(ranking, list), reply
    assert sorted(action["id"] for action in ranking) == ["article-0", "article-1", "article-2"]
    # The engine has learned nothing: unless a name forged a label, all actions are still alike.
    assert {action["probability"] for action in ranking} == {
        action["probability"]
        for action in trained.rank(plain).json()["ranking"]  # type: ignore[attr-defined]
    }
