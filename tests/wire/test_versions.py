"""Every version has its own routes; the same request means the same in each (contract, sections 0 and 1.1)."""

import pytest

from sartor.api.routing import versions
from sartor.api.routing.versions import V1_0, Version
from tests.wire.harness import Service, articles, person

EACH = pytest.mark.parametrize("version", versions.ALL_VERSIONS, ids=lambda version: version.name)
NAMED = "api-version=2022-09-01-preview"


def at(version: Version, path: str) -> str:
    """The path in a version, as its clients send it."""
    return f"{version.prefix}{path}" + (f"?{NAMED}" if version.in_query else "")


@EACH
def test_the_data_plane_is_the_same_in_each_version(service: Service, version: Version) -> None:
    ranked = service.call("POST", at(version, "/rank"), person(eventId="a/b", deferActivation=True))
    assert ranked.status == 201
    assert ranked.body == (
        b'{"ranking":[{"id":"Person","probability":1.0}],"eventId":"a/b","rewardActionId":"Person"}'
    )
    assert ranked.headers["csp-billing-usage"] == "CognitiveServices.Personalizer.Transaction=1"
    rewarded = service.call("POST", at(version, "/events/a%2Fb/reward"), {"value": 0.5})
    assert (rewarded.status, rewarded.body) == (204, b"")
    activated = service.call("POST", at(version, "/events/a%2Fb/activate"))
    assert (activated.status, activated.body) == (204, b"")
    assert [(logged.observation.event_id, logged.observation.reward) for logged in service.observations()] == [
        ("a/b", 0.5),
        ("a/b", None),
    ]


@pytest.mark.parametrize("path", ["/multislot/rank", "/multislot/events/e/reward", "/logs/interactions"])
def test_a_path_that_a_version_does_not_have_is_not_found(service: Service, path: str) -> None:
    reply = service.call("POST", at(V1_0, path), {})
    assert (reply.status, reply.code) == (404, "ResourceNotFound")


@pytest.mark.parametrize("query", ["", "?x=1", "?api-version=", "?api-version"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/rank"), ("GET", "/configurations/service")])
def test_a_path_without_a_version_needs_one_in_the_query(
    service: Service, method: str, path: str, query: str
) -> None:
    reply = service.call(method, f"/personalizer{path}{query}", person())
    assert (reply.status, reply.code) == (400, "MissingApiVersionParameter")
    assert "api-version=2022-09-01-preview" in reply.message


@pytest.mark.parametrize("named", ["2022-09-01", "v1.0", "2099-01-01", "2022-09-01-preview%00", "%FF"])
def test_a_version_that_is_not_served_is_refused(service: Service, named: str) -> None:
    reply = service.call("POST", f"/personalizer/rank?api-version={named}", person())
    assert (reply.status, reply.code) == (400, "UnsupportedApiVersionValue")
    assert not service.decisions()


@pytest.mark.parametrize(
    "query", [f"a=b&{NAMED}", f"API-Version={NAMED.partition('=')[2]}", f"{NAMED}&signed=true"]
)
def test_the_order_and_the_case_of_parameters_do_not_matter(service: Service, query: str) -> None:
    assert service.call("POST", f"/personalizer/rank?{query}", person()).status == 201


def test_a_version_in_the_path_counts_whatever_the_query_says(service: Service) -> None:
    assert service.call("POST", "/personalizer/v1.0/rank?api-version=nonsense", person()).status == 201


@EACH
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/rank"),
        ("GET", "/configurations/service"),
        ("PUT", "/configurations/service"),
        ("GET", "/configurations/policy"),
        ("PUT", "/configurations/policy"),
        ("DELETE", "/configurations/policy"),
    ],
)
def test_every_route_asks_for_a_key(service: Service, version: Version, method: str, path: str) -> None:
    for key in (None, "wrong"):
        reply = service.call(method, at(version, path), b"not read", key=key)
        assert (reply.status, reply.code) == (401, "401")
        assert reply.headers["x-ms-error-code"] == "401"
        assert "www-authenticate" in reply.headers


@EACH
def test_both_keys_open_the_administration_too(service: Service, version: Version) -> None:
    for key in (service.loop.key1, service.loop.key2):
        assert service.call("GET", at(version, "/configurations/policy"), key=key).status == 200


@EACH
def test_other_methods_are_refused_and_options_told(service: Service, version: Version) -> None:
    path = at(version, "/configurations/service")
    reply = service.call("PATCH", path, {})
    assert (reply.status, reply.code, reply.headers["allow"]) == (405, "BadRequest", "GET, PUT, HEAD, OPTIONS")
    reply = service.call("OPTIONS", path, key=None)
    assert (reply.status, reply.headers["allow"]) == (204, "GET, PUT, HEAD, OPTIONS")
    headed = service.call("HEAD", path)
    assert (headed.status, headed.body) == (200, b"")
    assert int(headed.headers["content-length"]) > 100


def test_the_case_of_a_path_does_not_matter(service: Service) -> None:
    path = "/Personalizer/V1.1-PREVIEW.3/Configurations/Policy/"
    assert service.call("GET", path).status == 200


@pytest.mark.parametrize("version", versions.FROM_PREVIEW_2, ids=lambda version: version.name)
@pytest.mark.parametrize("path", ["/logs/interactions", "/logs/observations"])
def test_uploads_of_local_inference_are_refused_with_the_reason(
    service: Service, version: Version, path: str
) -> None:
    reply = service.call(
        "POST", at(version, path), b"\0\1\2", headers={"content-type": "application/octet-stream"}
    )
    assert (reply.status, reply.code) == (400, "InvalidRequest")
    assert "not supported yet" in reply.message
    assert service.call("POST", at(version, path), b"\0", key=None).status == 401
    assert not service.decisions()
    assert not service.observations()


def test_a_body_that_is_too_large_is_refused_in_the_administration_too(service: Service) -> None:
    reply = service.call("PUT", at(V1_0, "/configurations/policy"), b" " * (service.limits.body_bytes + 1))
    assert (reply.status, reply.code) == (400, "PayloadSizeExceeded")


@EACH
def test_a_full_store_is_an_answer_of_the_administration_too(service: Service, version: Version) -> None:
    service.stores.disk.failing = True
    reply = service.call("GET", at(version, "/configurations/service"))
    assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "OperationNotAllowed", "1")


def test_an_administration_that_fails_is_one_500_and_is_logged(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service.stores.catalog, "find_by_id", lambda _: 1 / 0)
    reply = service.call("GET", at(V1_0, "/configurations/service"))
    assert (reply.status, reply.code) == (500, "InternalServerError")
    assert "division" not in reply.message
    assert "ZeroDivisionError" in caplog.text
    assert service.rank(articles()).status == 201


def test_the_key_of_a_loop_that_was_deleted_meanwhile_is_no_key_any_more(service: Service) -> None:
    service.stores.catalog.delete(service.loop.name)
    reply = service.call("GET", at(V1_0, "/configurations/service"))
    assert (reply.status, reply.code) == (401, "401")
    assert "deleted" in reply.message
