"""The data plane: rank, reward and activate, each a straight line from the request to the committed event.

Match, authenticate, read, decide, append, respond. Nothing is awaited but the socket and the group commit; a
response is sent only after its event is in the store.
"""

import time
import uuid
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from sartor.access.asgi import Receive, Scope, Send
from sartor.access.authentication import Authenticator
from sartor.access.quota import QuotaLimiter
from sartor.access.served_loops import ServedLoop
from sartor.api.dataplane.decoding import RequestDecoder
from sartor.api.dataplane.multislot_decoding import MultiSlotDecoder
from sartor.api.dataplane.ranking import (
    decide_multislot,
    decide_request,
    encode_multislot,
    encode_rank,
    explain_ranking,
)
from sartor.api.dataplane.routes import RANK, RANK_SLOTS, REWARD, REWARD_SLOTS
from sartor.api.http.arriving_bodies import ArrivingBodies
from sartor.api.http.body import content_length
from sartor.api.http.error_responses import ClientDisconnected, RequestRefused, error_to_response, not_allowed
from sartor.api.http.response import BILLED, Response, options_response, send_response
from sartor.api.routing import versions
from sartor.api.routing.matching import Resource, decode_name
from sartor.api.routing.routes import Operation
from sartor.api.routing.versions import Version
from sartor.explore.event_id import new_event_id
from sartor.inference import request_probabilities
from sartor.records import MultiSlotInput, Observation, RankInput
from sartor.settings import Limits

_encode = msgspec.json.Encoder().encode
_DONE = Response(204)


class DataPlaneApp:
    """Answers rank, reward and activate, for one slot and for several, for all loops of a process."""

    def __init__(
        self,
        authenticator: Authenticator,
        /,
        *,
        bodies: ArrivingBodies,
        limits: Limits,
        now_us: Callable[[], int],
    ) -> None:
        self._authenticator = authenticator
        self._bodies = bodies
        self._limits = limits
        self._now_us = now_us
        self._decoder = RequestDecoder(limits, new_event_id=self._new_event_id)
        self._slots_decoder = MultiSlotDecoder(limits, self._decoder)

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
            response = await self._answer(operation, resource, event_id, scope, receive)
        except ClientDisconnected:
            return
        except Exception as error:
            response = error_to_response(error, invalid=operation.invalid)
        await send_response(response, scope, send, took_ms=int((time.perf_counter() - start_s) * 1000))

    async def _answer(
        self, operation: Operation, resource: Resource, sent: bytes, scope: Scope, receive: Receive
    ) -> Response:
        if scope["method"] != "POST":
            return (
                options_response(resource.allowed)
                if scope["method"] == "OPTIONS"
                else not_allowed(resource.allowed)
            )
        headers = scope["headers"]
        if resource.version.in_query:
            versions.check_named(scope["query_string"])
        authenticator = self._authenticator
        served_loop = (
            authenticator.authenticate_key(scope)
            or (await authenticator.authenticate(scope, "decide")).served_loop
        )
        if operation.slots is not served_loop.has_slots:
            raise _refuse_operation(operation)
        limiter = served_loop.rate_limiter if operation.name == RANK.name else None
        if limiter is not None:
            limiter.check()  # at once, whatever the body says; counted once the body is known to be good
        body = await self._bodies.read(
            receive,
            owner=served_loop.loop.loop_id,
            declared=content_length(headers),
            most=self._limits.body_bytes,
        )
        if operation is RANK:
            request = self._decoder.rank(body)
            if limiter is None:
                return await _rank(served_loop, resource.version, request)
            return await _charge(limiter, partial(_rank, served_loop, resource.version, request))
        if operation is RANK_SLOTS:
            slots_request = self._slots_decoder.rank(body)
            if limiter is None:
                return await _rank_slots(served_loop, slots_request)
            return await _charge(limiter, partial(_rank_slots, served_loop, slots_request))
        event_id = self._decoder.check_event_id(decode_name(sent))
        if operation is REWARD_SLOTS:
            rewards = self._slots_decoder.rewards(body)
            await served_loop.writer.append_together(
                [Observation(event_id=event_id, reward=one.value, slot=one.slot_id) for one in rewards]
            )
            return _DONE
        reward = self._decoder.reward(body) if operation is REWARD else None
        await served_loop.writer.append(Observation(event_id=event_id, reward=reward))
        return _DONE

    def _new_event_id(self) -> str:
        return new_event_id(uuid.uuid4().hex, now_us=self._now_us())


async def _rank(served_loop: ServedLoop, version: Version, request: RankInput) -> Response:
    given = request_probabilities(served_loop.live.engine, request)
    decision = decide_request(served_loop, request, given)
    why = explain_ranking(served_loop, version, decision)
    await served_loop.writer.append(decision)
    return Response(201, encode_rank(decision, given, why), (BILLED,))


async def _rank_slots(served_loop: ServedLoop, request: MultiSlotInput) -> Response:
    decision = decide_multislot(served_loop, request)
    await served_loop.writer.append(decision)
    return Response(201, encode_multislot(decision), (BILLED,))


async def _charge(limiter: QuotaLimiter, rank: Callable[[], Awaitable[Response]]) -> Response:
    """Count a rank before it is decided, so that a burst can't pass; one that fails costs nothing."""
    charge = limiter.take()
    try:
        return await rank()
    except Exception:
        limiter.refund(charge)
        raise


def _refuse_operation(operation: Operation) -> RequestRefused:
    if operation.slots:
        return RequestRefused(
            "InvalidMultiSlotApiAccess",
            "This loop has a single slot: use /rank, /events/{eventId}/reward and /events/{eventId}/activate. "
            "Learning settings with --ccb_explore_adf make it one of several slots, for good.",
        )
    return RequestRefused(
        "InvalidApiAccess",
        "This loop has several slots: use /multislot/rank, /multislot/events/{eventId}/reward and "
        "/multislot/events/{eventId}/activate.",
    )
