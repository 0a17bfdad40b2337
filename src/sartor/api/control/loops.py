"""Loops as resources: listed, made, shown, changed, deleted, brought back, removed; and their keys."""

import msgspec

from sartor.api.control.wire import DeletedLoop, LoopKeys, LoopResource, NewLoop, Recovery, TermsChange
from sartor.api.http import json_body
from sartor.api.http.error_responses import RequestRefused
from sartor.api.http.response import Response
from sartor.api.routing.control_routes import PREFIX, ControlCall, ControlRoute

_INVALID = "InvalidRequest"
_LOCATION = {"location": "Where the loop is."}
_TAG = "Loops"


def list_(call: ControlCall) -> Response:
    """The loops that the caller may look at."""
    loops = [loop for loop in call.door.loops() if call.caller.may("read", loop.name)]
    return json_body.json_response(200, loops)


def create(call: ControlCall) -> Response:
    """Make a loop."""
    asked = json_body.decode_json(NewLoop, call.body, invalid=_INVALID)
    made = call.door.create(asked.name, {"tier": asked.tier, "tags": asked.tags})
    return json_body.json_response(201, made, (b"location", f"{PREFIX}/loops/{made.name}".encode()))


def show(call: ControlCall) -> Response:
    """One loop."""
    return json_body.json_response(200, call.door.loop(call.path["name"]))


def change(call: ControlCall) -> Response:
    """Change some terms."""
    asked = json_body.decode_json(TermsChange, call.body, invalid=_INVALID)
    return json_body.json_response(200, call.door.change(call.path["name"], msgspec.to_builtins(asked)))


def delete(call: ControlCall) -> Response:
    """Take a loop out of service."""
    return json_body.json_response(200, call.door.delete(call.path["name"]))


def list_keys(call: ControlCall) -> Response:
    """The two keys."""
    return json_body.json_response(200, call.door.keys(call.path["name"]))


def regenerate_key(call: ControlCall) -> Response:
    """Replace one key."""
    which = call.path["which"]
    if which not in ("1", "2"):
        raise RequestRefused(_INVALID, "A loop has key 1 and key 2.")
    return json_body.json_response(200, call.door.regenerate(call.path["name"], second=which == "2"))


def list_deleted(call: ControlCall) -> Response:
    """The loops that can be brought back."""
    return json_body.json_response(200, call.door.deleted())


def recover(call: ControlCall) -> Response:
    """Bring a loop back."""
    rename = json_body.decode_json(Recovery, call.body, invalid=_INVALID).name if call.body else None
    back = call.door.recover(call.path["loopId"], rename=rename)
    return json_body.json_response(200, back, (b"location", f"{PREFIX}/loops/{back.name}".encode()))


def purge(call: ControlCall) -> Response:
    """Remove a deleted loop."""
    call.door.purge(call.path["loopId"])
    return Response(204)


ROUTES = (
    ControlRoute(
        name="ListLoops",
        method="GET",
        path="/loops",
        does=list_,
        need="read",
        tag=_TAG,
        summary="The loops that the caller may look at.",
        status=200,
        said="The loops, by name.",
        answer=list[LoopResource],
    ),
    ControlRoute(
        name="CreateLoop",
        method="POST",
        path="/loops",
        does=create,
        need="own",
        tag=_TAG,
        summary="Make a loop.",
        description="It has two new keys, default settings, and answers requests within a second.",
        status=201,
        said="The loop.",
        request=NewLoop,
        answer=LoopResource,
        codes=("LoopExists",),
        headers=_LOCATION,
        example={"name": "articles", "tier": "S0", "tags": {"team": "news"}},
    ),
    ControlRoute(
        name="GetLoop",
        method="GET",
        path="/loops/{name}",
        does=show,
        need="read",
        tag=_TAG,
        summary="One loop and its terms.",
        status=200,
        said="The loop.",
        answer=LoopResource,
        codes=("LoopNotFound",),
    ),
    ControlRoute(
        name="ChangeLoop",
        method="PATCH",
        path="/loops/{name}",
        does=change,
        need="change",
        tag=_TAG,
        summary="Change tier, tags, lock, allowed networks or quotas.",
        description="A locked loop is changed only by a request that changes its lock.",
        status=200,
        said="The loop as it is then.",
        request=TermsChange,
        answer=LoopResource,
        codes=("LoopNotFound", "ScopeLocked"),
        example={"tags": {"team": "news"}, "lock": "delete", "allowedNetworks": ["10.0.0.0/8"]},
    ),
    ControlRoute(
        name="DeleteLoop",
        method="DELETE",
        path="/loops/{name}",
        does=delete,
        need="change",
        tag=_TAG,
        summary="Take a loop out of service.",
        description="For seven days an owner can bring it back.",
        status=200,
        said="Until when it can be brought back.",
        answer=DeletedLoop,
        codes=("LoopNotFound", "ScopeLocked"),
    ),
    ControlRoute(
        name="ListKeys",
        method="GET",
        path="/loops/{name}/keys",
        does=list_keys,
        need="change",
        tag="Keys",
        summary="The two keys of a loop.",
        status=200,
        said="The keys.",
        answer=LoopKeys,
        codes=("LoopNotFound",),
    ),
    ControlRoute(
        name="RegenerateKey",
        method="POST",
        path="/loops/{name}/keys/{which}/regenerate",
        does=regenerate_key,
        need="change",
        tag="Keys",
        summary="Replace key 1 or key 2.",
        description="The old one stops within a second; the other one is not touched.",
        status=200,
        said="The keys as they are then.",
        answer=LoopKeys,
        codes=("LoopNotFound", "ScopeLocked"),
    ),
    ControlRoute(
        name="ListDeletedLoops",
        method="GET",
        path="/deleted-loops",
        does=list_deleted,
        need="own",
        tag="Deleted loops",
        summary="The loops that can be brought back.",
        status=200,
        said="The loops, the latest last.",
        answer=list[DeletedLoop],
    ),
    ControlRoute(
        name="RecoverLoop",
        method="POST",
        path="/deleted-loops/{loopId}/recover",
        does=recover,
        need="own",
        tag="Deleted loops",
        summary="Bring a loop back, with its keys, its log and its models.",
        description="The body may be left out.",
        status=200,
        said="The loop.",
        request=Recovery,
        answer=LoopResource,
        codes=("LoopNotFound", "LoopExists"),
        headers=_LOCATION,
        example={"name": "articles"},
    ),
    ControlRoute(
        name="PurgeLoop",
        method="DELETE",
        path="/deleted-loops/{loopId}",
        does=purge,
        need="own",
        tag="Deleted loops",
        summary="Remove a deleted loop for good.",
        status=204,
        said="It is removed within seconds.",
        codes=("LoopNotFound",),
    ),
)
