from typing import Any

import msgspec
import pytest

from sartor.errors import CallerError
from sartor.lab.registry import WORLDS, open_world
from sartor.lab.world import Situation, World
from sartor.lab.worlds.tutorial import ARTICLES, Tutorial, Visit

NAMES = list(WORLDS)
SOME_TURNS = (0, 1, 17, 399, 400, 1_500, 4_999)


def visit(device: str, hour: int) -> Situation[Visit]:
    facts = Visit(device=device, hour=hour, page="home")
    return Situation(turn=0, facts=facts, context=Tutorial().describe(facts), options=ARTICLES)


def expected(world: World[Any], turns: int) -> list[list[float]]:
    return [world.expected_rewards(world.situation(turn)) for turn in range(turns)]


def test_there_are_the_tutorial_and_twelve_more() -> None:
    assert NAMES[0] == "tutorial"
    assert len(NAMES) == 13
    assert all(WORLDS[name].name == name and WORLDS[name].reward_is for name in NAMES)


def test_an_unknown_world_is_refused_with_the_list_of_those_there_are() -> None:
    with pytest.raises(CallerError, match=r"no world 'narnia'.*tutorial, hero-banner"):
        open_world("narnia")


def test_the_tutorial_offers_the_articles_of_the_original() -> None:
    assert [(option.id, option.features) for option in ARTICLES] == [
        ("sports_article", [{"topic": "sports", "length": "short"}]),
        ("finance_article", [{"topic": "finance", "length": "medium"}]),
        ("travel_article", [{"topic": "travel", "length": "long"}]),
    ]
    assert Tutorial.turns == 30


@pytest.mark.parametrize("hour", range(24))
def test_the_tutorial_pays_as_the_original_did(hour: int) -> None:
    world = Tutorial()
    admin_app = 9 <= hour <= 17
    assert world.expected_rewards(visit("mobile", hour)) == [0.6, 0.2, 0.6]
    assert world.expected_rewards(visit("desktop", hour)) == (
        [0.25, 0.65, 0.25] if admin_app else [0.25, 0.25, 0.55]
    )


def test_the_tutorial_meets_every_device_hour_and_page() -> None:
    world = Tutorial(seed=1)
    facts = [world.situation(turn).facts for turn in range(2_000)]
    assert {f.device for f in facts} == {"mobile", "desktop"}
    assert {f.hour for f in facts} == set(range(24))
    assert {f.page for f in facts} == {"home", "article", "section"}
    assert world.situation(3).context == [
        {"device": facts[3].device, "hour": facts[3].hour, "page": facts[3].page}
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_the_same_world_again(name: str) -> None:
    one, same, other = open_world(name, seed=3), open_world(name, seed=3), open_world(name, seed=4)
    for turn in SOME_TURNS:
        assert one.situation(turn) == same.situation(turn)
        assert one.reward(one.situation(turn), 0) == same.reward(same.situation(turn), 0)
    assert any(one.situation(turn) != other.situation(turn) for turn in SOME_TURNS)


@pytest.mark.parametrize("name", NAMES)
def test_turns_can_be_met_in_any_order(name: str) -> None:
    forward, backward = open_world(name), open_world(name)
    assert [forward.situation(t) for t in SOME_TURNS] == [backward.situation(t) for t in reversed(SOME_TURNS)][
        ::-1
    ]


def test_the_luck_of_a_turn_does_not_depend_on_the_choice() -> None:
    world = open_world("tutorial", seed=2)
    for turn in range(200):
        situation = world.situation(turn)
        rewards = [world.reward(situation, option) for option in range(3)]
        likely = world.expected_rewards(situation)
        assert all(
            r >= s
            for r, p in zip(rewards, likely, strict=True)
            for s, q in zip(rewards, likely, strict=True)
            if p >= q
        )


@pytest.mark.parametrize("name", NAMES)
def test_features_keep_to_the_wire(name: str) -> None:
    wire = pytest.importorskip("sartor.api.dataplane.wire")
    world = open_world(name)
    for turn in SOME_TURNS:
        situation = world.situation(turn)
        actions = [{"id": option.id, "features": option.features} for option in situation.options]
        body = msgspec.json.encode({"contextFeatures": situation.context, "actions": actions})
        read = msgspec.json.decode(body, type=wire.RankRequest)
        assert 2 <= len(read.actions) <= 50
        assert len({action.id for action in read.actions}) == len(read.actions)
        assert all(any(len(part) for part in action.features) for action in read.actions)


@pytest.mark.parametrize("name", [name for name in NAMES if not WORLDS[name].drifts])
def test_steady_worlds_value_a_thing_the_same_at_any_time(name: str) -> None:
    world = open_world(name)
    situation = world.situation(0)
    later = msgspec.structs.replace(situation, turn=3_000)
    assert world.expected_rewards(situation) == world.expected_rewards(later)


@pytest.mark.parametrize("name", [name for name in NAMES if WORLDS[name].drifts])
def test_drifting_worlds_change_which_option_is_best(name: str) -> None:
    world = open_world(name)
    changed = 0
    for turn in range(200):
        situation = world.situation(turn)
        later = msgspec.structs.replace(situation, turn=turn + 3_200)
        now, then = world.expected_rewards(situation), world.expected_rewards(later)
        changed += now.index(max(now)) != then.index(max(then))
    assert changed >= 40


@pytest.mark.parametrize("name", NAMES)
def test_actions_come_and_go_where_a_world_says_so(name: str) -> None:
    world = open_world(name)
    ids = [frozenset(option.id for option in world.situation(turn).options) for turn in range(0, 2_400, 50)]
    assert (len(set(ids)) > 3) == world.options_change
    assert bool(ids[0] & ids[-1]) != world.options_change


@pytest.mark.parametrize("name", NAMES)
def test_sparse_worlds_pay_in_fewer_than_three_of_a_hundred_turns(name: str) -> None:
    world = open_world(name)
    most = max(map(max, expected(world, 600)))
    assert (most < 0.03) == world.sparse


def test_the_kinds_of_difficulty_are_there_as_often_as_they_should_be() -> None:
    kinds = list(WORLDS.values())
    assert sum(kind.drifts for kind in kinds) == 2
    assert sum(kind.options_change for kind in kinds) == 2
    assert sum(kind.sparse for kind in kinds) == 2
    assert sum(len(kind().situation(0).options) == 50 for kind in kinds) == 1
    assert [kind.name for kind in kinds if kind.delay_turns] == ["feature-nudge"]


def test_one_world_sends_an_embedding_and_two_send_text() -> None:
    contexts = {name: open_world(name).situation(0) for name in NAMES}
    interests = contexts["next-article"].context[0]["reader"]
    assert isinstance(interests, dict)
    assert isinstance(interests["interests"], list)
    texts = [name for name, s in contexts.items() if b'"_text"' in msgspec.json.encode(s.context)]
    assert texts == ["support-article", "search-reranking"]
