"""The data plane: rank, reward and activate, each one straight line from the request to the committed event.

Match, authenticate, read, decide, append, answer. Nothing is awaited but the socket and the group commit; an
answer is sent only after its event is in the store.
"""

import time
import uuid
from collections.abc import Callable, Sequence

import msgspec

from sartor.api import table, versions
from sartor.api.answer import BILLED, Answer, deliver, options
from sartor.api.asgi import Receive, Scope, Send
from sartor.api.body import declared_bytes, read
from sartor.api.decisions import ACTIVATE, RANK
from sartor.api.desks import Desk, Desks
from sartor.api.failure import Disconnected, answer_to, not_allowed
from sartor.api.keys import presented
from sartor.api.reader import Reader
from sartor.api.routes import Operation
from sartor.api.table import Resource
from sartor.api.wire import RankedAction, RankResponse
from sartor.dsjson import context
from sartor.errors import EngineRefused
from sartor.explore.decide import Request, decide, uniform
from sartor.explore.event_id import made
from sartor.ports import Engine
from sartor.records import NO_MODEL, Decision, Observation
from sartor.settings import Limits

_encode = msgspec.json.Encoder().encode
_DONE = Answer(204)


class DataPlane:
    """Answers the three operations of the wire for all loops of a process."""

    def __init__(self, desks: Desks, /, *, limits: Limits, now_us: Callable[[], int]) -> None:
        self._desks = desks
        self._limits = limits
        self._now_us = now_us
        self._reader = Reader(limits, new_event_id=self._new_event_id)

    async def serve(
        self,
        operation: Operation,
        resource: Resource,
        event_id: bytes,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Answer one request for an operation; ``event_id`` is as it was sent in the path."""
        start_s = time.perf_counter()
        try:
            answer = await self._answer(operation, resource, event_id, scope, receive)
        except Disconnected:
            return
        except Exception as error:
            answer = answer_to(error, invalid=operation.invalid)
        await deliver(answer, send, took_ms=int((time.perf_counter() - start_s) * 1000))

    async def _answer(
        self, operation: Operation, resource: Resource, sent: bytes, scope: Scope, receive: Receive
    ) -> Answer:
        if scope["method"] != "POST":
            return options(resource.allowed) if scope["method"] == "OPTIONS" else not_allowed(resource.allowed)
        headers = scope["headers"]
        if resource.version.in_query:
            versions.check_named(scope["query_string"])
        desk = self._desks.find(presented(headers, scope["query_string"]))
        body = await read(receive, declared=declared_bytes(headers), most=self._limits.body_bytes)
        if operation is RANK:
            decision = decided(desk, self._reader.rank(body))
            await desk.writer.append(decision)
            return Answer(201, rank_body(decision), (BILLED,))
        event_id = self._reader.check_event_id(table.decoded(sent))
        reward = None if operation is ACTIVATE else self._reader.reward(body)
        await desk.writer.append(Observation(event_id=event_id, reward=reward))
        return _DONE

    def _new_event_id(self) -> str:
        return made(uuid.uuid4().hex, now_us=self._now_us())


def decided(desk: Desk, request: Request, /) -> Decision:
    """The decision of the model that serves; uniform before there is one.

    Raises:
        EngineRefused: the engine can't rank this request.
    """
    engine = desk.live.engine
    try:
        return decide(
            request,
            probabilities=_odds(engine, request),
            loop_id=desk.loop.loop_id,
            model_id=NO_MODEL if engine is None else desk.live.model_id,
            settings_version=desk.loop.version,
        )
    except ValueError as error:
        raise EngineRefused from error


def _odds(engine: Engine | None, request: Request) -> Sequence[float]:
    count = len(request.actions) - len(request.excluded)
    if engine is None:
        return uniform(count)
    actions = request.actions
    if request.excluded:
        actions = tuple([actions[place] for place in request.rankable])
    return engine.probabilities(context(request.context, actions), count)


def rank_body(decision: Decision, /) -> bytes:
    """The answer to a rank (contract, sections 1.2, 2.2 and 2.3)."""
    actions = decision.actions
    odds = decision.probabilities
    return _encode(
        RankResponse(
            ranking=[RankedAction(actions[place].id, odds[place]) for place in decision.ranking],
            event_id=decision.event_id,
            reward_action_id=actions[decision.chosen].id,
        )
    )
