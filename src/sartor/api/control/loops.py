"""Loops as resources: listed, created, read, changed, deleted, recovered, purged; and their keys."""

from urllib.parse import quote

import msgspec

from sartor.access.asgi import Header
from sartor.api.control.wire import (
    DeletedLoop,
    LoopKeys,
    LoopResource,
    NewLoop,
    Recovery,
    TermsChange,
    to_deleted_loop,
    to_loop_keys,
    to_loop_resource,
)
from sartor.api.http import json_body
from sartor.api.http.error_responses import RequestRefused
from sartor.api.http.response import Response
from sartor.api.routing.routes import Call, Route
from sartor.api.routing.versions import CONTROL_V1
from sartor.management import lifecycle, loops
from sartor.ports import Loop

_INVALID = "InvalidRequest"
_LOCATION = {"location": "Where the loop is."}
_TAG = "Loops"


def list_loops(call: Call) -> Response:
    """List the loops that the caller may read."""
    readable = call.context.list_readable()
    return json_body.json_response(200, [to_loop_resource(loop) for loop in readable])


def create_loop(call: Call) -> Response:
    """Create a loop."""
    contract = json_body.decode_json(NewLoop, call.body, invalid=_INVALID)
    terms = {"tier": contract.tier, "tags": contract.tags}
    with call.context.locks.hold(contract.name):
        loop = lifecycle.create_on_terms(call.context.stores, contract.name, terms=terms)
    return json_body.json_response(201, to_loop_resource(loop), _location(loop))


def get_loop(call: Call) -> Response:
    """Read one loop."""
    loop = call.context.find_named(call.path["name"])
    return json_body.json_response(200, to_loop_resource(loop))


def change_loop(call: Call) -> Response:
    """Change some terms."""
    contract = json_body.decode_json(TermsChange, call.body, invalid=_INVALID)
    with call.context.acquire_named(call.path["name"]) as found:
        loop = lifecycle.set_terms(call.context.stores, found.name, msgspec.to_builtins(contract))
    return json_body.json_response(200, to_loop_resource(loop))


def delete_loop(call: Call) -> Response:
    """Take a loop out of service."""
    with call.context.acquire_named(call.path["name"]) as found:
        loop = lifecycle.delete(call.context.stores, found.name)
    return json_body.json_response(200, to_deleted_loop(loop))


def list_keys(call: Call) -> Response:
    """List the two keys."""
    loop = call.context.find_named(call.path["name"])
    return json_body.json_response(200, to_loop_keys(loop))


def regenerate_key(call: Call) -> Response:
    """Replace one key."""
    which = call.path["which"]
    if which not in ("1", "2"):
        raise RequestRefused(_INVALID, "A loop has key 1 and key 2.")
    with call.context.acquire_named(call.path["name"]) as found:
        loop = loops.rotate_key(call.context.stores, found.name, second=which == "2")
    return json_body.json_response(200, to_loop_keys(loop))


def list_deleted(call: Call) -> Response:
    """List the deleted loops that can be recovered."""
    found = lifecycle.list_deleted(call.context.stores)
    return json_body.json_response(200, [to_deleted_loop(loop) for loop in found])


def recover_loop(call: Call) -> Response:
    """Recover a deleted loop."""
    rename = json_body.decode_json(Recovery, call.body, invalid=_INVALID).name if call.body else None
    with call.context.locks.hold(call.path["loopId"]):
        loop = lifecycle.recover(call.context.stores, call.path["loopId"], rename=rename)
    return json_body.json_response(200, to_loop_resource(loop), _location(loop))


def purge_loop(call: Call) -> Response:
    """Remove a deleted loop for good."""
    with call.context.locks.hold(call.path["loopId"]):
        lifecycle.purge(call.context.stores, call.path["loopId"])
    return Response(204)


def _location(loop: Loop) -> Header:
    return (b"location", f"{CONTROL_V1.prefix}/loops/{quote(loop.name, safe='')}".encode())


ROUTES = (
    Route(
        name="ListLoops",
        method="GET",
        path="/loops",
        versions=(CONTROL_V1,),
        handler=list_loops,
        permission="read",
        tag=_TAG,
        summary="The loops that the caller may look at.",
        status=200,
        success="The loops, by name.",
        invalid=_INVALID,
        response=list[LoopResource],
    ),
    Route(
        name="CreateLoop",
        method="POST",
        path="/loops",
        versions=(CONTROL_V1,),
        handler=create_loop,
        permission="own",
        tag=_TAG,
        summary="Make a loop.",
        description="It has two new keys, default settings, and answers requests within a second.",
        status=201,
        success="The loop.",
        invalid=_INVALID,
        request=NewLoop,
        response=LoopResource,
        codes=("LoopExists",),
        headers=_LOCATION,
        request_example={"name": "articles", "tier": "S0", "tags": {"team": "news"}},
    ),
    Route(
        name="GetLoop",
        method="GET",
        path="/loops/{name}",
        versions=(CONTROL_V1,),
        handler=get_loop,
        permission="read",
        tag=_TAG,
        summary="One loop and its terms.",
        status=200,
        success="The loop.",
        invalid=_INVALID,
        response=LoopResource,
        codes=("LoopNotFound",),
    ),
    Route(
        name="ChangeLoop",
        method="PATCH",
        path="/loops/{name}",
        versions=(CONTROL_V1,),
        handler=change_loop,
        permission="change",
        tag=_TAG,
        summary="Change tier, tags, lock, allowed networks or quotas.",
        description="A locked loop is changed only by a request that changes its lock.",
        status=200,
        success="The loop as it is then.",
        invalid=_INVALID,
        request=TermsChange,
        response=LoopResource,
        codes=("LoopNotFound", "ScopeLocked"),
        request_example={"tags": {"team": "news"}, "lock": "delete", "allowedNetworks": ["10.0.0.0/8"]},
    ),
    Route(
        name="DeleteLoop",
        method="DELETE",
        path="/loops/{name}",
        versions=(CONTROL_V1,),
        handler=delete_loop,
        permission="change",
        tag=_TAG,
        summary="Take a loop out of service.",
        description="For seven days an owner can bring it back.",
        status=200,
        success="Until when it can be brought back.",
        invalid=_INVALID,
        response=DeletedLoop,
        codes=("LoopNotFound", "ScopeLocked"),
    ),
    Route(
        name="ListKeys",
        method="GET",
        path="/loops/{name}/keys",
        versions=(CONTROL_V1,),
        handler=list_keys,
        permission="change",
        tag="Keys",
        summary="The two keys of a loop.",
        status=200,
        success="The keys.",
        invalid=_INVALID,
        response=LoopKeys,
        codes=("LoopNotFound",),
    ),
    Route(
        name="RegenerateKey",
        method="POST",
        path="/loops/{name}/keys/{which}/regenerate",
        versions=(CONTROL_V1,),
        handler=regenerate_key,
        permission="change",
        tag="Keys",
        summary="Replace key 1 or key 2.",
        description="The old one stops within a second; the other one is not touched.",
        status=200,
        success="The keys as they are then.",
        invalid=_INVALID,
        response=LoopKeys,
        codes=("LoopNotFound", "ScopeLocked"),
    ),
    Route(
        name="ListDeletedLoops",
        method="GET",
        path="/deleted-loops",
        versions=(CONTROL_V1,),
        handler=list_deleted,
        permission="own",
        tag="Deleted loops",
        summary="The loops that can be brought back.",
        status=200,
        success="The loops, the latest last.",
        invalid=_INVALID,
        response=list[DeletedLoop],
    ),
    Route(
        name="RecoverLoop",
        method="POST",
        path="/deleted-loops/{loopId}/recover",
        versions=(CONTROL_V1,),
        handler=recover_loop,
        permission="own",
        tag="Deleted loops",
        summary="Bring a loop back, with its keys, its log and its models.",
        description="The body may be left out.",
        status=200,
        success="The loop.",
        invalid=_INVALID,
        request=Recovery,
        response=LoopResource,
        codes=("LoopNotFound", "LoopExists"),
        headers=_LOCATION,
        request_example={"name": "articles"},
    ),
    Route(
        name="PurgeLoop",
        method="DELETE",
        path="/deleted-loops/{loopId}",
        versions=(CONTROL_V1,),
        handler=purge_loop,
        permission="own",
        tag="Deleted loops",
        summary="Remove a deleted loop for good.",
        status=204,
        success="It is removed within seconds.",
        invalid=_INVALID,
        codes=("LoopNotFound",),
    ),
)
