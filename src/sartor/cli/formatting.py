"""How loops and models are shown to people, and to programs."""

from collections.abc import Sequence

import msgspec

from sartor.cli import printing
from sartor.dsjson.observations import format_timestamp
from sartor.ports import Loop, LoopStores, ModelRegistry
from sartor.records import NO_MODEL, Model
from sartor.transfer.locations import strip_secrets
from sartor.transfer.mirror import MirrorProgress, read_progress
from sartor.transfer.mirror_threads import mirror_target


def keys(loop: Loop, data: str, /, *, as_json: bool) -> None:
    """The endpoint and the keys: all that an application needs."""
    from sartor.runtime.compose import data_folder
    from sartor.runtime.instance_lock import InstanceLock

    values = {
        "endpoint": InstanceLock(data_folder(data)).endpoint(),
        "key1": loop.key1,
        "key2": loop.key2,
    }
    printing.pairs(values, as_json=as_json)


def listed(loops: Sequence[Loop], /, *, as_json: bool) -> None:
    """All loops, without their keys."""
    if as_json:
        printing.json([_described(loop) for loop in loops])
    elif loops:
        rows = [
            (loop.name, format_timestamp(loop.created_at_us), loop.version, loop.arguments) for loop in loops
        ]
        printing.table(("LOOP", "CREATED", "VERSION", "LEARNING SETTINGS"), rows)
    else:
        printing.say("There is no loop yet. Make one: sartor loop create NAME")


def _described(loop: Loop) -> dict[str, object]:
    return {
        "name": loop.name,
        "loopId": loop.loop_id,
        "createdAt": format_timestamp(loop.created_at_us),
        "version": loop.version,
        "policy": {"name": loop.policy_name, "arguments": loop.arguments},
        "settings": msgspec.to_builtins(loop.settings),
        "terms": msgspec.to_builtins(loop.terms),
    }


def shown(loop: Loop, logs: LoopStores, /, *, as_json: bool) -> None:
    """One loop and what it has been through."""
    horizon, counts, live = logs.events.horizon(), logs.outcomes.counts(), logs.models.live()
    totals = {
        "decisions": horizon.decisions,
        "observations": horizon.observations,
        "outcomes": counts.outcomes,
        "learnable": counts.learnable,
        "late": counts.late,
        "dangling": counts.dangling,
    }
    model = NO_MODEL if live is None else live.model_id
    copied = _mirror(loop, logs)
    if as_json:
        printing.json(_described(loop) | {"counts": totals, "liveModel": model, "mirror": copied})
        return
    facts = {"name": loop.name, "id": loop.loop_id, "created": format_timestamp(loop.created_at_us)}
    lines = facts | {"version": loop.version, "policy": loop.arguments, "live model": model} | totals
    lines |= {} if copied is None else {"mirror": _copied(copied, counts.last_outcome)}
    printing.pairs(lines | msgspec.to_builtins(loop.settings), as_json=False)


def _mirror(loop: Loop, logs: LoopStores) -> MirrorProgress | None:
    url = mirror_target(loop)
    return None if url is None else read_progress(logs.blobs, strip_secrets(url))


def _copied(copied: MirrorProgress, last_outcome: int) -> str:
    said = f"{copied.target}: {copied.last} of {last_outcome} outcomes"
    if copied.missed:
        said += f", {copied.missed} removed before they could be copied"
    if copied.problem:
        return f"{said}; FAILING since {format_timestamp(copied.failing_since_us)}: {copied.problem}"
    return f"{said}; last at {format_timestamp(copied.copied_at_us)}" if copied.last else said


def settings(loop: Loop, /, *, as_json: bool) -> None:
    """The settings under their names on the wire."""
    printing.pairs(msgspec.to_builtins(loop.settings), as_json=as_json)


def policy(loop: Loop, /, *, as_json: bool) -> None:
    """The learning settings, in the shape of the retired service's export (contract, section 1.6)."""
    value = {"name": loop.policy_name, "arguments": loop.arguments}
    printing.result(value, loop.arguments, as_json=as_json)


def models(registry: ModelRegistry, /, *, as_json: bool) -> None:
    """The history of a loop, newest first."""
    live = registry.live()
    serving = None if live is None else live.model_id
    history = registry.history()
    if as_json:
        printing.json([_model(model) | {"live": model.model_id == serving} for model in history])
    elif history:
        printing.table(
            ("", "MODEL", "CREATED", "LEARNED", "LEARNING SETTINGS"),
            [("live" if model.model_id == serving else "", *_row(model)) for model in history],
        )
    else:
        printing.say("There is no model yet: decisions are uniform.")


def _row(model: Model) -> tuple[object, ...]:
    return model.model_id, format_timestamp(model.created_at_us), model.learned, model.arguments


def _model(model: Model) -> dict[str, object]:
    return {
        "modelId": model.model_id,
        "parentId": model.parent_id,
        "createdAt": format_timestamp(model.created_at_us),
        "learned": model.learned,
        "firstOutcome": model.first_outcome,
        "lastOutcome": model.last_outcome,
        "settingsVersion": model.settings_version,
        "arguments": model.arguments,
    }


def promoted(model: Model, name: str, /, *, as_json: bool) -> None:
    """Which model serves now."""
    sentence = (
        f"Model {model.model_id} serves now and is kept; newer ones go live again after: "
        f"sartor loop set {name} modelAutoPublish=true"
    )
    printing.result(_model(model), sentence, as_json=as_json)
