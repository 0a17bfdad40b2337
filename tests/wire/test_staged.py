"""The models of the history on the wire, from the unpublished draft (contract, end of section 1.1)."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from sartor.api.http.durations import format_zoned_us
from sartor.api.routing.versions import FROM_PREVIEW_3, PREVIEW_2, PREVIEW_3, V2022_09, Version
from sartor.learn.model_file import strip_checksum
from sartor.management import loops
from sartor.records import Model
from tests.wire.harness import Reply
from tests.wire.taught import Taught
from tests.wire.test_versions import at

LATEST = pytest.mark.parametrize("version", FROM_PREVIEW_3, ids=lambda version: version.name)


@pytest.fixture
def taught(monkeypatch: pytest.MonkeyPatch) -> Iterator[Taught]:
    """Three models, of 20, 5 and 3 training examples."""
    monkeypatch.setattr(loops, "_ON_ITS_WAY_S", 0.02)
    made = Taught()
    made.learn(5)
    made.learn(3)
    yield made
    made.close()


def history(service: Taught) -> list[Model]:
    return list(service.logs.models.history())


def listed(service: Taught, version: Version = PREVIEW_3) -> list[dict[str, Any]]:
    reply = service.call("GET", at(version, "/staged-model"))
    assert reply.status == 200
    found: list[dict[str, Any]] = json.loads(reply.body)
    return found


def put(service: Taught, model_id: str, body: object, version: Version = PREVIEW_3) -> Reply:
    return service.call("PUT", at(version, f"/staged-model/{model_id}"), body)


@LATEST
def test_the_models_are_listed_the_newest_first(taught: Taught, version: Version) -> None:
    returned = listed(taught, version)
    assert [one["modelId"] for one in returned] == [model.model_id for model in history(taught)]
    newest = history(taught)[0]
    assert returned[0] == {
        "modelId": newest.model_id,
        "userDescription": "",
        "creationDate": format_zoned_us(newest.created_at_us),
        "lastConfigEditDate": "0001-01-01T00:00:00",
        "firstEventId": "event-0",
        "lastEventId": "event-27",
        "savedInHistory": False,
        "numberOfEventsLearnedSinceLastExport": 3,
    }
    assert [one["numberOfEventsLearnedSinceLastExport"] for one in returned] == [3, 5, 20]


def test_so_many_are_listed_and_those_that_are_saved(taught: Taught) -> None:
    newest, middle, oldest = (model.model_id for model in history(taught))
    loops.change_settings(taught.stores, "default", {"stagedModelHistoryLength": 1})
    assert [one["modelId"] for one in listed(taught)] == [newest]
    put(taught, oldest, {"savedInHistory": True})
    assert [one["modelId"] for one in listed(taught)] == [newest, oldest]
    loops.promote_model(taught.stores, "default", middle)
    assert [one["modelId"] for one in listed(taught)] == [newest, middle, oldest]


def test_the_first_model_of_all_is_not_listed_before_it_is_there() -> None:
    service = Taught(learned=0)
    assert listed(service) == []
    service.close()


def test_an_edit_after_the_model_leaves_its_date_unknown(taught: Taught) -> None:
    middle = history(taught)[1]
    (loop,) = taught.stores.catalog.loops()
    taught.stores.catalog.update(replace(loop, edited_at_us=middle.created_at_us))
    dates = [one.get("lastConfigEditDate") for one in listed(taught)]
    edited = format_zoned_us(middle.created_at_us).removesuffix("+00:00")
    assert dates == [edited, edited, None]


@LATEST
def test_a_model_is_taken_out(taught: Taught, version: Version) -> None:
    oldest = history(taught)[-1].model_id
    reply = taught.call("GET", at(version, f"/staged-model/{oldest}"))
    assert reply.status == 200
    assert reply.body == strip_checksum(taught.logs.models.blob(oldest))
    assert reply.headers["content-disposition"] == "attachment; filename=model.vw"


@LATEST
def test_a_model_is_described_and_saved(taught: Taught, version: Version) -> None:
    oldest = history(taught)[-1].model_id
    reply = put(taught, oldest, {"userDescription": "before the sale"}, version)
    assert reply.status == 200
    assert (reply.json()["userDescription"], reply.json()["savedInHistory"]) == ("before the sale", False)
    reply = put(taught, oldest, {"savedInHistory": True}, version)
    assert (reply.json()["userDescription"], reply.json()["savedInHistory"]) == ("before the sale", True)
    assert listed(taught, version)[-1] == reply.json()
    assert put(taught, oldest, reply.json(), version).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {"modelId": "another"},
        {"creationDate": "2020-01-01T00:00:00+00:00"},
        {"firstEventId": "x"},
        {"numberOfEventsLearnedSinceLastExport": 1},
        {"userDescription": "x" * 1_025},
        {"savedInHistory": "yes"},
        {"savedInHistory": None},
        [],
        b"",
    ],
)
def test_nothing_else_of_a_model_can_be_changed(taught: Taught, body: object) -> None:
    before = listed(taught)
    reply = put(taught, history(taught)[-1].model_id, body)
    assert (reply.status, reply.code) == (400, "InvalidModelMetadata")
    assert listed(taught) == before


@LATEST
def test_a_model_is_published_and_stays(taught: Taught, version: Version) -> None:
    oldest = history(taught)[-1]
    reply = taught.call("PUT", at(version, f"/staged-model/{oldest.model_id}/publish"))
    assert (reply.status, reply.body) == (204, b"")
    assert taught.logs.models.live() == oldest
    taught.learn(4)
    assert taught.logs.models.live() == oldest
    assert len(listed(taught, version)) == 4


def test_others_are_administered_while_a_publication_waits(
    taught: Taught, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "_ON_ITS_WAY_S", 2.0)
    oldest = history(taught)[-1].model_id
    ended: list[str] = []

    async def publish() -> None:
        reply = await taught.send("PUT", at(PREVIEW_3, f"/staged-model/{oldest}/publish"))
        assert reply.status == 204
        ended.append("publish")

    async def read() -> None:
        while loops.find_loop(taught.stores, "default").settings.model_auto_publish:
            await asyncio.sleep(0.001)
        reply = await taught.send("GET", at(PREVIEW_3, "/configurations/service"))
        assert reply.status == 200
        ended.append("read")

    async def both() -> None:
        await asyncio.gather(publish(), read())

    taught.run(both())
    assert ended == ["read", "publish"]


@LATEST
def test_a_model_is_removed(taught: Taught, version: Version) -> None:
    oldest = history(taught)[-1].model_id
    reply = taught.call("DELETE", at(version, f"/staged-model/{oldest}"))
    assert (reply.status, reply.body) == (204, b"")
    assert oldest not in [one["modelId"] for one in listed(taught, version)]


def test_the_model_that_serves_is_not_removed(taught: Taught) -> None:
    reply = taught.call("DELETE", at(PREVIEW_3, f"/staged-model/{history(taught)[0].model_id}"))
    assert (reply.status, reply.code) == (400, "InvalidModelMetadata")
    assert "publish another one first" in reply.message


@LATEST
@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("PUT", ""), ("DELETE", ""), ("PUT", "/publish")])
def test_a_model_that_is_not_there_is_not_found(
    taught: Taught, version: Version, method: str, path: str
) -> None:
    reply = taught.call(method, at(version, f"/staged-model/missing{path}"), {} if method == "PUT" else b"")
    assert (reply.status, reply.code) == (404, "ResourceNotFound")


def test_older_versions_have_no_history(taught: Taught) -> None:
    assert taught.call("GET", at(PREVIEW_2, "/staged-model")).status == 404
    assert taught.call("GET", at(V2022_09, "/staged-model")).status == 200
