import socket
import time
from collections.abc import Iterator

import pytest

from sartor.errors import CallerError, SartorError, Unauthorized, Unavailable
from sartor.lab import play
from sartor.lab.registry import open_world
from sartor.lab.report import Turn
from tests.unit.lab import service
from tests.unit.lab.service import KEY, Service


@pytest.fixture
def running() -> Iterator[Service]:
    with service.running() as one:
        yield one


def test_a_game_ranks_and_rewards_in_turns(running: Service) -> None:
    report = play.play_world("tutorial", endpoint=running.endpoint, key=KEY, iterations=20, seed=4)
    ranks, rewards = running.calls[0::2], running.calls[1::2]
    world = open_world("tutorial", seed=4)
    situations = [world.situation(turn) for turn in range(20)]
    assert [body["contextFeatures"] for _, body in ranks] == [s.context for s in situations]
    assert ranks[0][0] == "/personalizer/v1.0/rank"
    assert ranks[0][1]["actions"][0] == {
        "id": "sports_article",
        "features": [{"topic": "sports", "length": "short"}],
    }
    assert [path for path, _ in rewards] == [
        f"/personalizer/v1.0/events/{body['eventId']}/reward" for _, body in ranks
    ]
    assert [body["value"] for _, body in rewards] == [world.reward(s, 2) for s in situations]
    assert report.iterations == 20
    assert report.mean_expected == pytest.approx(report.reference.random, abs=1.0)
    assert report.mean_expected == sum(world.expected_reward(s, 2) for s in situations) / 20


def test_a_game_plays_as_long_as_the_world_suggests(running: Service) -> None:
    assert play.play_world("tutorial", endpoint=running.endpoint + "/", key=KEY).iterations == 30


def test_two_games_never_share_an_event_id(running: Service) -> None:
    for _ in range(2):
        play.play_world("tutorial", endpoint=running.endpoint, key=KEY, iterations=3)
    ids = [body["eventId"] for path, body in running.calls if path.endswith("/rank")]
    assert len(set(ids)) == 6


def test_a_game_keeps_one_connection(running: Service) -> None:
    play.play_world("tutorial", endpoint=running.endpoint, key=KEY, iterations=5)
    assert len(running.connections) == 1


def test_delayed_rewards_are_sent_later_and_none_is_forgotten(running: Service) -> None:
    play.play_world("feature-nudge", endpoint=running.endpoint, key=KEY, iterations=203)
    kinds = ["rank" if path.endswith("/rank") else "reward" for path, _ in running.calls]
    assert kinds[:200] == ["rank"] * 200
    assert kinds[200:206] == ["rank", "reward"] * 3
    assert kinds[206:] == ["reward"] * 200


def test_progress_is_told_after_each_turn(running: Service) -> None:
    told: list[Turn] = []
    play.play_world("tutorial", endpoint=running.endpoint, key=KEY, iterations=3, progress=told.append)
    assert [turn.chosen for turn in told] == [2, 2, 2]


def test_a_game_can_be_slowed_down(running: Service) -> None:
    started = time.monotonic()
    play.play_world("tutorial", endpoint=running.endpoint, key=KEY, iterations=10, turns_per_s=50)
    assert time.monotonic() - started >= 0.2


def test_a_busy_service_is_asked_again(running: Service) -> None:
    running.refusals = [(503, {"Retry-After": "0"})] * 3
    assert play.play_world("tutorial", endpoint=running.endpoint, key=KEY, iterations=2).iterations == 2
    assert len(running.calls) == 4


def test_a_wrong_key_is_said_to_be_wrong(running: Service) -> None:
    with pytest.raises(Unauthorized, match="does not accept this key"):
        play.play_world("tutorial", endpoint=running.endpoint, key="another", iterations=1)


def test_a_refused_request_is_reported_in_the_words_of_the_service(running: Service) -> None:
    running.refusals = [(400, {})]
    with pytest.raises(CallerError, match=r"400 .*not now"):
        play.play_world("tutorial", endpoint=running.endpoint, key=KEY, iterations=1)


def test_a_broken_service_is_reported(running: Service) -> None:
    running.refusals = [(500, {})]
    with pytest.raises(Unavailable, match=r"could not answer \(500"):
        play.play_world("tutorial", endpoint=running.endpoint, key=KEY, iterations=1)


def test_an_answer_that_was_not_on_offer_is_not_taken(running: Service) -> None:
    running.answer = "weather_article"
    with pytest.raises(SartorError, match="'weather_article', which was not on offer"):
        play.play_world("tutorial", endpoint=running.endpoint, key=KEY, iterations=1)


def test_where_no_service_is_the_game_says_how_to_start_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unavailable, match=r"No service answers at http.*is 'sartor serve' running\?"):
        play.play_world("tutorial", endpoint=f"http://127.0.0.1:{port}", key=KEY, iterations=1)
