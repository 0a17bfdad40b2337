"""The data plane: rank, reward and activate, each a straight line from the request to the committed event.

Match, authenticate, read, decide, append, answer. Nothing is awaited but the socket and the group commit; an
answer is sent only after its event is in the store.
"""

import time
import uuid
from collections.abc import Callable, Sequence

import msgspec
from msgspec import UNSET

from sartor.access.asgi import Receive, Scope, Send
from sartor.access.authentication import Gatekeeper
from sartor.access.served_loops import Desk
from sartor.api.dataplane.decoding import Reader
from sartor.api.dataplane.explanation import Explanation, explanation
from sartor.api.dataplane.multislot import decided_slots, slots_body
from sartor.api.dataplane.multislot_decoding import MultiSlotReader
from sartor.api.dataplane.routes import RANK, RANK_SLOTS, REWARD, REWARD_SLOTS
from sartor.api.dataplane.wire import ExplainedRankResponse, RankedAction
from sartor.api.http.body import declared_bytes, read
from sartor.api.http.error_responses import Disconnected, Refused, answer_to, not_allowed
from sartor.api.http.response import BILLED, Answer, deliver, options
from sartor.api.routing import route_table, versions
from sartor.api.routing.route_table import Resource
from sartor.api.routing.routes import Operation
from sartor.api.routing.versions import Version
from sartor.errors import EngineRefused
from sartor.explore.decide import decide
from sartor.explore.event_id import made
from sartor.explore.response_view import answered
from sartor.inference import request_probabilities
from sartor.records import NO_MODEL, Decision, Observation, Request
from sartor.settings import Limits

_encode = msgspec.json.Encoder().encode
_DONE = Answer(204)


class DataPlane:
    """Answers rank, reward and activate, for one slot and for several, for all loops of a process."""

    def __init__(self, gatekeeper: Gatekeeper, /, *, limits: Limits, now_us: Callable[[], int]) -> None:
        self._gatekeeper = gatekeeper
        self._limits = limits
        self._now_us = now_us
        self._reader = Reader(limits, new_event_id=self._new_event_id)
        self._slots_reader = MultiSlotReader(limits, self._reader)

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
        gatekeeper = self._gatekeeper
        desk = gatekeeper.with_key(scope) or (await gatekeeper.admit(scope, "decide")).desk
        if operation.slots is not desk.has_slots:
            raise _wrong_door(operation)
        if desk.meter is not None and operation.name == RANK.name:
            desk.meter.take()
        body = await read(receive, declared=declared_bytes(headers), most=self._limits.body_bytes)
        if operation is RANK:
            return await self._rank(desk, resource.version, body)
        if operation is RANK_SLOTS:
            decision = decided_slots(desk, self._slots_reader.rank(body))
            await desk.writer.append(decision)
            return Answer(201, slots_body(decision), (BILLED,))
        event_id = self._reader.check_event_id(route_table.decoded(sent))
        if operation is REWARD_SLOTS:
            rewards = self._slots_reader.rewards(body)
            await desk.writer.append_together(
                [Observation(event_id=event_id, reward=one.value, slot=one.slot_id) for one in rewards]
            )
            return _DONE
        reward = self._reader.reward(body) if operation is REWARD else None
        await desk.writer.append(Observation(event_id=event_id, reward=reward))
        return _DONE

    async def _rank(self, desk: Desk, version: Version, body: bytes) -> Answer:
        request = self._reader.rank(body)
        given = request_probabilities(desk.live.engine, request)
        decision = decided(desk, request, given)
        why = explanation(desk, version, decision)
        await desk.writer.append(decision)
        return Answer(201, rank_body(decision, given, why), (BILLED,))

    def _new_event_id(self) -> str:
        return made(uuid.uuid4().hex, now_us=self._now_us())


def _wrong_door(operation: Operation) -> Refused:
    if operation.slots:
        return Refused(
            "InvalidMultiSlotApiAccess",
            "This loop has a single slot: use /rank, /events/{eventId}/reward and /events/{eventId}/activate. "
            "Learning settings with --ccb_explore_adf make it one of several slots, for good.",
        )
    return Refused(
        "InvalidApiAccess",
        "This loop has several slots: use /multislot/rank, /multislot/events/{eventId}/reward and "
        "/multislot/events/{eventId}/activate.",
    )


def decided(desk: Desk, request: Request, given: Sequence[float], /) -> Decision:
    """The decision with the given odds, which the model that serves gave just now.

    Raises:
        EngineRefused: they are not odds.
    """
    live = desk.live
    try:
        return decide(
            request,
            probabilities=given,
            loop_id=desk.loop.loop_id,
            model_id=NO_MODEL if live.engine is None else live.model_id,
            settings_version=desk.loop.version,
            mode=desk.loop.settings.learning_mode,
        )
    except ValueError as error:
        raise EngineRefused from error


def rank_body(decision: Decision, given: Sequence[float], why: Explanation = UNSET, /) -> bytes:
    """The answer to a rank (contract, sections 1.2, 2.2, 2.3, 2.6 and 2.8)."""
    shown = decision if decision.mode == "Online" else answered(decision, model=given)
    actions = decision.actions
    probabilities = shown.probabilities
    return _encode(
        ExplainedRankResponse(
            ranking=[RankedAction(actions[place].id, probabilities[place]) for place in shown.ranking],
            event_id=decision.event_id,
            reward_action_id=actions[shown.chosen].id,
            inference_explanation=why,
        )
    )
