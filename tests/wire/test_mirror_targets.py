"""Where a caller may have the log mirrored, who may name a folder, and that no signature is shown."""

import asyncio
from collections.abc import Iterator

import pytest

from sartor.access.destinations import parse_destinations
from sartor.access.tokens.verifier import JwtVerifier
from sartor.api.app import create_app
from sartor.api.routing import versions
from sartor.api.routing.versions import V2022_09, Version
from sartor.management import loops
from tests.unit.access.tokens.issuer import TokenIssuer, serving
from tests.wire.harness import OWNER_KEY, PREFIX, Reply, Service, person
from tests.wire.test_configuration import SAS, change, configuration, required
from tests.wire.test_versions import EACH, at

MASKED = SAS.replace("sig=x", "sig=***")
OTHER = SAS.replace("sig=x", "sig=y")
QUERY = "?sv=2021-12-02&sp=racwl&sig=x"

REFUSED = [
    "dir://x::file:///srv/somewhere",
    "simplecache::file:///srv/somewhere",
    "filecache://x",
    "filecache://",
    "memory://",
    "memory://x",
    "ftp://127.0.0.1",
    "http://169.254.169.254/?sig=&sp=w",
    "/srv/somewhere",
    "file:///srv/somewhere",
    "srv/somewhere",
    "zip://a.json::file:///srv/a.zip",
    "reference://::file:///srv/a",
    "s3://bucket/logs",
    "sftp://127.0.0.1/srv",
    "github://org:repo@main/",
    f"http://account.blob.core.windows.net/logs{QUERY}",
    f"https://169.254.169.254/logs{QUERY}",
    f"https://127.0.0.1/logs{QUERY}",
    f"https://[::ffff:127.0.0.1]/logs{QUERY}",
    f"https://2130706433/logs{QUERY}",
    f"https://localhost/logs{QUERY}",
    f"https://metadata.google.internal/logs{QUERY}",
    f"https://account.blob.core.windows.net:8443/logs{QUERY}",
    f"https://user:password@account.blob.core.windows.net/logs{QUERY}",
    f"https://account.blob.core.windows.net/logs{QUERY}::file:///srv/somewhere",
    f"simplecache::https://account.blob.core.windows.net/logs{QUERY}",
    MASKED,
]


@pytest.mark.parametrize("target", REFUSED)
def test_a_key_of_a_loop_reaches_public_containers_only(service: Service, target: str) -> None:
    for enabled in (True, False):
        body = required(V2022_09, logMirrorEnabled=enabled, logMirrorSasUri=target)
        reply = change(service, V2022_09, body)
        assert (reply.status, reply.code) == (400, "InvalidSasUri"), reply
        assert "logMirrorSasUri" in reply.message
    assert service.follow().version == 1


@pytest.mark.parametrize("version", versions.PATHS, ids=lambda version: version.name)
def test_earlier_versions_are_as_strict(service: Service, version: Version) -> None:
    reply = change(service, version, required(version, logMirrorSasUri="memory://x"))
    assert (reply.status, reply.code) == (400, "InvalidContainer")


def test_what_an_administrator_allows(service: Service) -> None:
    service.app = create_app(
        service.loop_table,
        stores=service.stores,
        limits=service.limits,
        probe=service.look,
        allowed_destinations=parse_destinations("http://127.0.0.1:10000, s3://bucket"),
    )
    for target in (f"http://127.0.0.1:10000/account/logs{QUERY}", "s3://bucket/logs"):
        assert change(service, V2022_09, required(V2022_09, logMirrorSasUri=target)).status == 200
        assert service.follow().settings.log_mirror_sas_uri == target
        assert not service.loop.mirror_by_operator
    for target in (SAS, "s3://other/logs", "http://127.0.0.1:10000/account/logs?sp=rl&sig=x", "memory://x"):
        reply = change(service, V2022_09, required(V2022_09, logMirrorSasUri=target))
        assert (reply.status, reply.code) == (400, "InvalidSasUri")


@EACH
def test_the_signature_is_masked_and_what_is_put_back_keeps_it(service: Service, version: Version) -> None:
    replies = [
        change(service, version, required(version, logMirrorSasUri=SAS)),
        configuration(service, version),
    ]
    assert [reply.json()["logMirrorSasUri"] for reply in replies] == [MASKED, MASKED]
    body = replies[1].json() | {"defaultReward": 0.5}
    assert change(service, version, body).json()["logMirrorSasUri"] == MASKED
    assert service.follow().settings.log_mirror_sas_uri == SAS
    assert service.loop.settings.default_reward == 0.5
    assert change(service, version, body | {"logMirrorSasUri": OTHER}).status == 200
    assert service.follow().settings.log_mirror_sas_uri == OTHER


def test_a_mask_on_another_container_is_no_signature(service: Service) -> None:
    assert change(service, V2022_09, required(V2022_09, logMirrorSasUri=SAS)).status == 200
    moved = MASKED.replace("account", "another")
    reply = change(service, V2022_09, required(V2022_09, logMirrorSasUri=moved))
    assert (reply.status, reply.code) == (400, "InvalidSasUri")
    assert "masked" in reply.message
    assert service.follow().settings.log_mirror_sas_uri == SAS


def test_a_target_of_the_operator_stays_his_until_another_one_is_set(service: Service) -> None:
    loops.change_settings(service.stores, service.loop.name, {"logMirrorSasUri": "/var/mirror"})
    body = required(V2022_09, logMirrorEnabled=True, logMirrorSasUri="/var/mirror")
    assert change(service, V2022_09, body).status == 200
    assert service.follow().mirror_by_operator
    for other in ("/var/other", "/var/mirror/../other", "file:///var/mirror"):
        assert change(service, V2022_09, body | {"logMirrorSasUri": other}).status == 400
    assert change(service, V2022_09, body | {"logMirrorSasUri": SAS}).status == 200
    assert not service.follow().mirror_by_operator
    assert change(service, V2022_09, body).status == 400


def test_what_is_not_allowed_any_more_is_not_turned_on_and_hinders_nothing_else(service: Service) -> None:
    old = {"logMirrorSasUri": "dir://x::file:///srv/somewhere"}
    loops.change_settings(service.stores, service.loop.name, old, by_operator=False)
    body = configuration(service, V2022_09).json()
    assert change(service, V2022_09, body | {"defaultReward": 0.5}).status == 200
    reply = change(service, V2022_09, body | {"logMirrorEnabled": True})
    assert (reply.status, reply.code) == (400, "InvalidSasUri")
    loops.change_settings(
        service.stores, service.loop.name, old | {"logMirrorEnabled": True}, by_operator=False
    )
    body = configuration(service, V2022_09).json()
    assert change(service, V2022_09, body | {"defaultReward": 0.25}).status == 200
    assert not service.follow().mirror_by_operator


def test_the_operator_takes_a_target_over_by_setting_it_again(service: Service) -> None:
    name, target = service.loop.name, {"logMirrorSasUri": "dir://x::file:///srv/somewhere"}
    loops.change_settings(service.stores, name, target, by_operator=False)
    assert not service.follow().mirror_by_operator
    loops.change_settings(service.stores, name, target)
    assert service.follow().mirror_by_operator
    loops.change_settings(service.stores, name, {"defaultReward": 0.5}, by_operator=False)
    assert service.follow().mirror_by_operator


@pytest.fixture(scope="module")
def issuer() -> Iterator[TokenIssuer]:
    with serving(TokenIssuer()) as issuer:
        yield issuer


def put_as(role: str, issuer: TokenIssuer, target: str) -> tuple[Reply, bool]:
    """The reply to a change of the target by the holder of a role, and whether it became the operator's."""
    service = Service(token_verifier=JwtVerifier(issuer.trusted()))
    try:
        reply = service.call(
            "PUT",
            "/loops/default" + at(V2022_09, "/configurations/service"),
            required(V2022_09, logMirrorEnabled=True, logMirrorSasUri=target),
            key=None,
            headers={"authorization": f"Bearer {issuer.token(role)}"},
        )
        return reply, service.follow().mirror_by_operator
    finally:
        service.close()


@pytest.mark.parametrize("target", ["/srv/mirror", "file:///srv/mirror"])
def test_an_owner_may_name_a_folder(issuer: TokenIssuer, target: str) -> None:
    reply, by_operator = put_as("Sartor.Owner", issuer, target)
    assert reply.status == 200, reply
    assert reply.json()["logMirrorSasUri"] == target
    assert by_operator
    assert put_as("Shop.Contributor", issuer, target)[0].status == 400


def test_the_owner_key_may_too_where_a_loop_is_named(service: Service) -> None:
    path, body = at(V2022_09, "/configurations/service"), required(V2022_09, logMirrorSasUri="/srv/mirror")
    reply = service.call("PUT", f"/loops/default{path}", body, key=OWNER_KEY)
    assert (reply.status, service.follow().mirror_by_operator) == (200, True)
    assert service.call("PUT", path, body, key=OWNER_KEY).status == 401
    assert service.call("PUT", f"/loops/nosuch{path}", body, key=OWNER_KEY).status == 401
    reply = service.call(
        "PUT", f"/loops/default{path}", body | {"logMirrorSasUri": "memory://x"}, key=OWNER_KEY
    )
    assert (reply.status, reply.code) == (400, "InvalidSasUri")
    rank = service.call("POST", f"/loops/default{PREFIX}/rank", person(), key=OWNER_KEY)
    assert rank.status == 401  # it decides nothing


@pytest.mark.parametrize(
    "target", ["memory://x", "dir://x::file:///srv", "srv/mirror", "file://srv", "ftp://a.example"]
)
def test_an_owner_may_name_no_memory_and_no_chain(issuer: TokenIssuer, target: str) -> None:
    reply, by_operator = put_as("Sartor.Owner", issuer, target)
    assert (reply.status, by_operator) == (400, False)


def test_no_other_body_takes_a_url(service: Service) -> None:
    """A member that names a place must be checked by the same rule: a new one must be added here, and there."""
    found = set()
    for page in (
        "/openapi.json",
        "/sartor/v1/openapi.json",
        *(f"/openapi/{v.name}.json" for v in versions.ALL_VERSIONS),
    ):
        document = service.call("GET", page, key=None).json()
        found |= {name for name in find_request_members(document) if is_place(name)}
    assert found == {"logMirrorSasUri"}
    assert service.call("GET", "/sartor/v1/loops", key=OWNER_KEY).status == 200


def is_place(name: str) -> bool:
    words = (
        "uri",
        "url",
        "sas",
        "source",
        "target",
        "callback",
        "hook",
        "endpoint",
        "address",
        "host",
        "location",
    )
    return any(word in name.lower() for word in words) and name not in ("logMirrorEnabled",)


def find_request_members(document: dict[str, object]) -> set[str]:
    """The names of all members that the body of a request may have, at any depth."""
    schemas = document["components"]["schemas"]  # type: ignore[index]
    names: set[str] = set()
    seen: set[str] = set()

    def visit(schema: object) -> None:
        if isinstance(schema, list):
            for one in schema:
                visit(one)
        elif isinstance(schema, dict):
            reference = schema.get("$ref")
            if isinstance(reference, str) and reference not in seen:
                seen.add(reference)
                visit(schemas[reference.rpartition("/")[2]])
            names.update(schema.get("properties", {}))
            for value in schema.values():
                visit(value)

    paths = document["paths"]
    assert isinstance(paths, dict)
    for operations in paths.values():
        for operation in operations.values():
            if isinstance(operation, dict):
                visit(operation.get("requestBody"))
                names.update(one.get("name", "") for one in operation.get("parameters", []))
    return names


def test_two_changes_at_once_leave_one_of_their_targets(service: Service) -> None:
    bodies = [required(V2022_09, logMirrorSasUri=target) for target in (SAS, OTHER, MASKED, "/srv/x")]

    async def send_all() -> list[Reply]:
        path = at(V2022_09, "/configurations/service")
        return await asyncio.gather(*(service.send("PUT", path, body) for body in bodies))

    replies = service.run(send_all())
    assert {reply.status for reply in replies} <= {200, 400}
    assert service.follow().settings.log_mirror_sas_uri in (SAS, OTHER)
    assert not service.loop.mirror_by_operator
