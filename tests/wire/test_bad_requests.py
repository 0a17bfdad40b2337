"""Every mistake of a caller has its status, its code, and a message that names the field."""

import json

import pytest

from sartor.settings import Limits
from tests.wire.harness import PREFIX, Reply, Service, articles, person

RANK = f"{PREFIX}/rank"
REWARD = f"{PREFIX}/events/e/reward"


def action(**members: object) -> dict[str, object]:
    return {"id": "a", "features": [{"x": 1}], **members}


def ranked(*actions: object, **members: object) -> dict[str, object]:
    return {"actions": list(actions), **members}


def feature(text: str) -> bytes:
    """A rank body whose only feature is this text, as it stands."""
    return b'{"actions":[{"id":"a","features":[{"x":%b}]}]}' % text.encode()


def deep(levels: int) -> str:
    return '{"y":' * levels + "1" + "}" * levels


BAD_RANKS = [
    # what is not JSON, or not an object
    (b"", "body is empty"),
    (b" \n", "body is empty"),
    (b"{", "not JSON"),
    (b"\xef\xbb\xbf{}", "not JSON"),
    (b"\xff\xfe{\x00}\x00", "not JSON"),
    (b"{'actions':[]}", "not JSON"),
    (b'{"actions":[]} {}', "not JSON"),
    (b'{"actions":[{"id":"\xff","features":[]}]}', "not valid UTF-8"),
    (b'{"actions":[{"id":"\xed\xa0\x80","features":[]}]}', "not valid UTF-8"),
    (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too deeply"),
    (b'{"actions":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too deeply"),
    (b"[]", "The body must be an object, not an array"),
    (b"null", "The body must be an object, not null"),
    (b'"text"', "The body must be an object, not a text"),
    (b"12", "The body must be an object, not a number"),
    # actions
    ({}, "actions is required"),
    ({"Actions": []}, "actions is required"),
    ({"actions": None}, "actions must be an array, not null"),
    ({"actions": {}}, "actions must be an array, not an object"),
    (ranked(), "actions must hold 1 to 50 actions, not 0"),
    (articles(51), "actions must hold 1 to 50 actions, not 51"),
    (ranked(None), "actions[0] must be an object, not null"),
    (ranked(action(), "b"), "actions[1] must be an object, not a text"),
    (ranked({"features": [{"x": 1}]}), "actions[0].id is required"),
    (ranked(action(id=None)), "actions[0].id must be a text, not null"),
    (ranked(action(id=7)), "actions[0].id must be a text, not a number"),
    (ranked(action(id="")), "actions[0].id must not be empty"),
    (ranked(action(), action(id="x" * 257)), "actions[1].id is longer than 256"),
    (ranked(action(), action(id="b"), action()), "actions[2].id is the same as that of actions[0]"),
    (ranked(action(id="a\0b")), "actions[0].id holds a NUL"),
    # features of an action
    (ranked({"id": "a"}), "actions[0].features is required"),
    (ranked(action(features=None)), "actions[0].features must be an array, not null"),
    (ranked(action(features={"x": 1})), "actions[0].features must be an array, not an object"),
    (ranked(action(features=[])), "actions[0].features must hold a feature"),
    (ranked(action(features=[{}])), "actions[0].features must hold a feature"),
    (ranked(action(features=[{}, {"x": None}])), "actions[0].features must hold a feature"),
    (ranked(action(features=[{"x": []}])), "actions[0].features must hold a feature"),
    (ranked(action(features=[{"x": {"y": {}}}])), "actions[0].features must hold a feature"),
    (ranked(action(features=[None])), "actions[0].features[0] must be an object, not null"),
    (ranked(action(features=["x"])), "actions[0].features[0] must be an object, not a text"),
    (ranked(action(features=[{"x": 1}, 3])), "actions[0].features[1] must be an object, not a number"),
    (ranked(action(features=[[{"x": 1}]])), "actions[0].features[0] must be an object, not an array"),
    (ranked(action(features=[{"": 1}])), "actions[0].features[0] has a feature with an empty name"),
    (ranked(action(features=[{"x": {"": 1}}])), "actions[0].features[0].x has a feature with an empty name"),
    (ranked(action(features=[{"x": ["y"]}])), "actions[0].features[0].x[0] must be a number, not a text"),
    (ranked(action(features=[{"x": [1, None]}])), "actions[0].features[0].x[1] must be a number, not null"),
    (ranked(action(features=[{"x": [1, True]}])), "actions[0].features[0].x[1] must be a number, not a bool"),
    (ranked(action(features=[{"x": [[1]]}])), "actions[0].features[0].x[0] must be a number, not an array"),
    (ranked(action(features=[{"x": [{"y": 1}]}])), "actions[0].features[0].x[0] must be a number"),
    (ranked(action(features=[{"a b": ["y"]}])), 'actions[0].features[0]["a b"][0] must be a number'),
    (ranked(action(features=[{"x" * 99: ["y"]}])), 'xxx..."][0] must be a number'),
    (ranked(action(features=[{"x": {"y\0": 1}}])), "features[0].x"),
    (ranked(action(features=[{"x": "a\0b"}])), "actions[0].features[0].x holds a NUL"),
    # numbers
    (feature("1e16"), "actions[0].features[0].x must be a number between"),
    (feature("-1000000000000001"), "actions[0].features[0].x must be a number between"),
    (feature("1e999"), "actions[0].features[0].x must be a number between"),
    (feature("1" * 400), "actions[0].features[0].x must be a number between"),
    (feature("-" + "1" * 9000), "actions[0].features[0].x must be a number between"),
    (feature("[1e999]"), "actions[0].features[0].x[0] must be a number between"),
    (feature('{"y":1e16}'), "actions[0].features[0].x.y must be a number between"),
    (feature("NaN"), "not JSON"),
    (feature("-Infinity"), "not JSON"),
    (feature("0x10"), "not JSON"),
    (feature("01"), "not JSON"),
    # texts and nesting
    (feature(r'"\ud800"'), "not JSON"),
    (feature(r'"\udc00\ud800"'), "not JSON"),
    (feature('"a\nb"'), "not JSON"),
    (feature(deep(8)), "nests too deeply; at most 8 levels"),
    (feature(deep(500)), "nests too deeply; at most 8 levels"),
    # context
    (person(contextFeatures={}), "contextFeatures must be an array, not an object"),
    (person(contextFeatures="x"), "contextFeatures must be an array, not a text"),
    (person(contextFeatures=[None]), "contextFeatures[0] must be an object, not null"),
    (person(contextFeatures=[{}, []]), "contextFeatures[1] must be an object, not an array"),
    (person(contextFeatures=[{"": 1}]), "contextFeatures[0] has a feature with an empty name"),
    (person(contextFeatures=[{"u": {"x": ["y"]}}]), "contextFeatures[0].u.x[0] must be a number"),
    (person(contextFeatures=[{"u": {"x": 1e16}}]), "contextFeatures[0].u.x must be a number between"),
    # the rest of a rank
    (person(excludedActions="Person"), "excludedActions must be an array, not a text"),
    (person(excludedActions=[None]), "excludedActions[0] must be a text, not null"),
    (person(excludedActions=["a", 1]), "excludedActions[1] must be a text, not a number"),
    (person(excludedActions=["Person"]), "excludedActions leaves no action"),
    (articles(2, excludedActions=["article-1", "x", "article-0"]), "excludedActions leaves no action"),
    (person(eventId=""), "eventId must not be empty"),
    (person(eventId=12), "eventId must be a text, not a number"),
    (person(eventId="x" * 257), "eventId is longer than 256"),
    (person(eventId="a\0"), "eventId holds a NUL"),
    (person(deferActivation=1), "deferActivation must be true or false, not a number"),
    (person(deferActivation="true"), "deferActivation must be true or false, not a text"),
]


def _label(value: object) -> str:
    return (value if isinstance(value, str) else repr(value))[:60]


@pytest.mark.parametrize(("body", "says"), BAD_RANKS, ids=_label)
def test_bad_ranks(service: Service, body: object, says: str) -> None:
    _check(service.rank(body), 400, "InvalidRankRequest", says)
    assert not service.decisions()


BAD_REWARDS = [
    (b"", "body is empty"),
    (b"1.0", "The body must be an object, not a number"),
    (b"[]", "The body must be an object, not an array"),
    (b'{"value":1', "not JSON"),
    (b'{"value":NaN}', "not JSON"),
    (b'{"value":Infinity}', "not JSON"),
    (b'{"value":1e999}', "value must be a finite number between -1e+50 and 1e+50"),
    (b'{"value":-1e999}', "value must be a finite number between -1e+50 and 1e+50"),
    (b'{"value":' + b"9" * 350 + b"}", "value must be a finite number between -1e+50 and 1e+50"),
    (b'{"value":' + b"9" * 9000 + b"}", "value must be a finite number between -1e+50 and 1e+50"),
    ({}, "value is required"),
    ({"Value": 1}, "value is required"),
    ({"value": None}, "value must be a number, not null"),
    ({"value": True}, "value must be a number, not a boolean"),
    ({"value": "1.0"}, "value must be a number, not a text"),
    ({"value": [1]}, "value must be a number, not an array"),
    ({"value": {"x": 1}}, "value must be a number, not an object"),
]


@pytest.mark.parametrize(("body", "says"), BAD_REWARDS, ids=_label)
def test_bad_rewards(service: Service, body: object, says: str) -> None:
    _check(service.reward("e", body), 400, "InvalidRewardRequest", says)
    assert not service.observations()


BAD_EVENT_IDS = [
    ("", "eventId must not be empty"),
    ("%FF", "eventId in the path is not valid UTF-8"),
    ("%ED%A0%80", "eventId in the path is not valid UTF-8"),
    ("a%00b", "eventId holds a NUL"),
    ("x" * 257, "eventId is longer than 256"),
    ("%C3%A9" * 257, "eventId is longer than 256"),
]


@pytest.mark.parametrize(("event_id", "says"), BAD_EVENT_IDS, ids=_label)
def test_bad_event_ids(service: Service, event_id: str, says: str) -> None:
    _check(service.reward(event_id, {"value": 1}), 400, "InvalidRewardRequest", says)
    _check(service.activate(event_id), 400, "InvalidEventIdToActivate", says)
    assert not service.observations()


def test_the_empty_event_id_of_an_official_client(service: Service) -> None:
    reply = service.call("POST", f"{PREFIX}/events/activate")
    _check(reply, 400, "InvalidEventIdToActivate", "eventId must not be empty")


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/personalizer",
        "/personalizer/v1.0",
        "/personalizer/v1.0/rank/x",
        "/personalizer/v1.0/ranks",
        "/personalizer/v1.0/events",
        "/personalizer/v1.0/events/",
        "/personalizer/v1.0/events/e",
        "/personalizer/v1.0/events/e/rewards",
        "/personalizer/v1.0/events/a/b/reward",
        "/personalizer/v2.0/rank",
        "/personalizer/v1.0/multislot/rank",
        "//personalizer/v1.0/rank",
        "/health",
        "/docs/x",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_routes(service: Service, method: str, path: str) -> None:
    _check(service.call(method, path, person()), 404, "ResourceNotFound", "no such resource")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
@pytest.mark.parametrize("path", [RANK, REWARD, f"{PREFIX}/events/e/activate"])
def test_other_methods_of_the_wire(service: Service, method: str, path: str) -> None:
    reply = service.call(method, path)
    assert reply.headers["allow"] == "POST, OPTIONS"
    if method == "HEAD":
        assert (reply.status, reply.body, reply.headers["x-ms-error-code"]) == (405, b"", "BadRequest")
        assert int(reply.headers["content-length"]) == len(service.call("GET", path).body)
    else:
        _check(reply, 405, "BadRequest", "POST")


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/openapi.json", "/docs", "/"])
def test_other_methods_of_pages(service: Service, path: str) -> None:
    reply = service.call("POST", path)
    _check(reply, 405, "BadRequest", "GET")
    assert reply.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("key", [None, "wrong", "KEY-1-OF-ID-OF-DEFAULT", "key-1-of-id-of-default\u00e9"])
@pytest.mark.parametrize("path", [RANK, REWARD, f"{PREFIX}/events/e/activate"])
def test_without_a_key_of_ours(service: Service, path: str, key: str | None) -> None:
    reply = service.call("POST", path, person(), key=key)
    _check(reply, 401, "401", "Ocp-Apim-Subscription-Key")
    assert reply.headers["www-authenticate"].startswith("AzureApiManagementKey")
    assert not service.decisions()
    assert not service.observations()


@pytest.mark.parametrize("chunks", [1, 5])
@pytest.mark.parametrize("path", [RANK, REWARD, f"{PREFIX}/events/e/activate"])
def test_a_body_that_is_too_large(path: str, chunks: int) -> None:
    service = Service(limits=Limits(body_bytes=1000))
    body = json.dumps(articles(2, padding="x" * 1000)).encode()
    for declared in (str(len(body)), "0", "nonsense", "9" * 9000):
        reply = service.call("POST", path, body, headers={"content-length": declared}, chunks=chunks)
        _check(reply, 400, "PayloadSizeExceeded", "larger than 1000 bytes")
    assert service.rank(person()).status == 201
    service.close()


@pytest.mark.parametrize(
    "context",
    [
        [{f"f{number}": number for number in range(20_000)}],
        [{"x": list(range(20_000))}],
        [{"_text": "word " * 20_000}],
        [{"_t\\u0065xt": "word " * 20_000}],
        [{"u": {"v": {f"f{number}": True}}} for number in range(5_000)],
    ],
    ids=["names", "array", "words", "hidden words", "objects"],
)
def test_too_many_features(service: Service, context: list[object]) -> None:
    body = json.dumps(person(contextFeatures=context)).replace("\\\\u", "\\u").encode()
    _check(service.rank(body), 400, "PayloadSizeExceeded", "contextFeatures and actions hold")


def test_too_many_pairs_of_features(service: Service) -> None:
    few = {"contextFeatures": [{"x": list(range(600))}]}
    assert service.rank(articles(50) | few).status == 201
    many = {"contextFeatures": [{"x": list(range(650))}]}
    _check(service.rank(articles(50) | many), 400, "PayloadSizeExceeded", "contextFeatures and actions make")


def test_a_longer_list_of_actions_where_it_is_allowed() -> None:
    service = Service(limits=Limits(actions=200))
    assert service.rank(articles(200)).status == 201
    _check(service.rank(articles(201)), 400, "InvalidRankRequest", "actions must hold 1 to 200")
    service.close()


def _check(reply: Reply, status: int, code: str, says: str) -> None:
    assert (reply.status, reply.code) == (status, code), reply
    assert says in reply.message
    assert set(reply.json()) == {"error"}
    assert set(reply.json()["error"]) == {"code", "message"}  # type: ignore[call-overload]
    assert reply.headers["x-ms-error-code"] == code
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert int(reply.headers["content-length"]) == len(reply.body) or not reply.body
