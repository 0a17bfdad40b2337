"""Prints results, loops and models: as JSON for programs, as tables and sentences for people."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from sartor.errors import DataFolderInUse, SartorError, StoreUnavailable
from sartor.masking import mask_url
from sartor.ports import Loop, LoopStores, ModelRegistry
from sartor.private_files import write_private
from sartor.records import NO_MODEL, Model
from sartor.runtime.visible_text import escape_line, escape_lines
from sartor.times import format_timestamp
from sartor.transfer.locations import strip_secrets
from sartor.transfer.mirror import MirrorProgress, read_progress
from sartor.transfer.mirror_threads import mirror_target


def print_json(value: object, /) -> None:
    """Print a value as indented JSON."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    print_lines(text.decode() + "\n")


def print_line(text: str = "", /, *, as_error: bool = False) -> None:
    """Print one line; what came from callers can't make it two, nor steer the terminal."""
    (sys.stderr if as_error else sys.stdout).write(f"{escape_line(text)}\n")


def print_lines(text: str, /) -> None:
    """Print lines that end as they are; what came from callers and is no JSON must have been escaped."""
    sys.stdout.write(escape_lines(text))


def print_text(text: str, /) -> None:
    """Print a text with rich's markup (``[bold]``); lines are never wrapped, so that they can be copied.

    What came from callers goes through ``escape_markup`` before.
    """
    from rich.console import Console

    Console(soft_wrap=True, highlight=False).print(escape_lines(text))


def escape_markup(text: str, /) -> str:
    """Escape what came from callers, to be put into a text for ``print_text``."""
    from rich.markup import escape

    return escape(escape_line(text))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], /) -> None:
    """Print rows under column titles."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        grid.add_row(*(Text(escape_line(str(cell))) for cell in row))
    console = Console(highlight=False)
    if not console.is_terminal:  # a pipe has no width: keep each row on one line
        console.width = 1_000
    console.print(grid)


def print_result(value: object, sentence: str, /, *, as_json: bool) -> None:
    """Print the value as JSON, or the sentence on one line."""
    if as_json:
        print_json(value)
    else:
        print_line(sentence)


def print_pairs(values: Mapping[str, object], /, *, as_json: bool) -> None:
    """Print names and values, as a JSON object or in two columns."""
    if as_json:
        print_json(values)
        return
    width = max(map(len, values), default=0)
    for name, value in values.items():
        shown = str(value).lower() if isinstance(value, bool) else value
        print_line(f"{name:<{width}}  {shown}")


def print_error(error: SartorError, /) -> int:
    """Print the error's message on standard error; returns the exit code: 2 for a folder in use, else 1."""
    print_line(f"sartor: {error.message}", as_error=True)
    return 2 if isinstance(error, DataFolderInUse) else 1


def write_file(path: Path, content: bytes, /) -> None:
    """Write a result to a file.

    Raises:
        StoreUnavailable: the file can't be written.
    """
    try:
        write_private(path, content)
    except OSError as error:
        raise StoreUnavailable(f"{path} can't be written: {error.strerror}.") from error


def print_keys(loop: Loop, data: str, /, *, as_json: bool) -> None:
    """Print the endpoint and the keys: all that an application needs."""
    from sartor.runtime.compose import data_folder
    from sartor.runtime.instance_lock import InstanceLock

    values = {
        "endpoint": InstanceLock(data_folder(data)).endpoint(),
        "key1": loop.key1,
        "key2": loop.key2,
    }
    print_pairs(values, as_json=as_json)


def print_loops(loops: Sequence[Loop], /, *, as_json: bool) -> None:
    """Print all loops, without their keys."""
    if as_json:
        print_json([_loop_to_json(loop) for loop in loops])
    elif loops:
        rows = [
            (loop.name, format_timestamp(loop.created_at_us), loop.version, loop.effective_arguments)
            for loop in loops
        ]
        print_table(("LOOP", "CREATED", "VERSION", "LEARNING SETTINGS"), rows)
    else:
        print_text("There is no loop yet. Create one: sartor loop create NAME")


def _loop_to_json(loop: Loop) -> dict[str, object]:
    return {
        "name": loop.name,
        "loopId": loop.loop_id,
        "createdAt": format_timestamp(loop.created_at_us),
        "version": loop.version,
        "policy": {"name": loop.policy_name, "arguments": loop.effective_arguments},
        "settings": _settings_to_json(loop),
        "terms": msgspec.to_builtins(loop.terms),
    }


def _settings_to_json(loop: Loop) -> dict[str, object]:
    """Return the settings with the signature of the mirror's target masked."""
    settings: dict[str, object] = msgspec.to_builtins(loop.settings)
    target = loop.settings.log_mirror_sas_uri
    return settings if target is None else settings | {"logMirrorSasUri": mask_url(target)}


def print_loop(loop: Loop, logs: LoopStores, /, *, as_json: bool) -> None:
    """Print one loop: its settings, what its log holds, and the model that serves."""
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
    mirror = _read_mirror_progress(loop, logs)
    if as_json:
        print_json(_loop_to_json(loop) | {"counts": totals, "liveModel": model, "mirror": mirror})
        return
    facts = {"name": loop.name, "id": loop.loop_id, "created": format_timestamp(loop.created_at_us)}
    lines = facts | {"version": loop.version, "policy": loop.effective_arguments, "live model": model} | totals
    lines |= {} if mirror is None else {"mirror": _describe_mirror(mirror, counts.last_outcome)}
    print_pairs(lines | _settings_to_json(loop), as_json=False)


def _read_mirror_progress(loop: Loop, logs: LoopStores) -> MirrorProgress | None:
    url = mirror_target(loop)
    return None if url is None else read_progress(logs.blobs, strip_secrets(url))


def _describe_mirror(mirror: MirrorProgress, last_outcome: int) -> str:
    text = f"{mirror.target}: {mirror.last} of {last_outcome} outcomes"
    if mirror.missed:
        text += f", {mirror.missed} removed before they could be copied"
    if mirror.problem:
        return f"{text}; FAILING since {format_timestamp(mirror.failing_since_us)}: {mirror.problem}"
    return f"{text}; last at {format_timestamp(mirror.copied_at_us)}" if mirror.last else text


def print_settings(loop: Loop, /, *, as_json: bool) -> None:
    """Print the settings under the names they have on the wire."""
    print_pairs(_settings_to_json(loop), as_json=as_json)


def print_policy(loop: Loop, /, *, as_json: bool) -> None:
    """Print the learning settings, in the shape of the retired service's export (contract, section 1.6)."""
    value = {"name": loop.policy_name, "arguments": loop.effective_arguments}
    print_result(value, loop.effective_arguments, as_json=as_json)


def print_models(registry: ModelRegistry, /, *, as_json: bool) -> None:
    """Print the models of a loop, newest first."""
    live = registry.live()
    serving = None if live is None else live.model_id
    history = registry.history()
    if as_json:
        print_json([_model_to_json(model) | {"live": model.model_id == serving} for model in history])
    elif history:
        print_table(
            ("", "MODEL", "CREATED", "LEARNED", "LEARNING SETTINGS"),
            [("live" if model.model_id == serving else "", *_model_to_row(model)) for model in history],
        )
    else:
        print_text("There is no model yet: decisions are uniform.")


def _model_to_row(model: Model) -> tuple[object, ...]:
    return model.model_id, format_timestamp(model.created_at_us), model.learned, model.arguments


def _model_to_json(model: Model) -> dict[str, object]:
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


def print_live_model(model: Model, name: str, /, *, as_json: bool) -> None:
    """Print which model serves now, and that newer ones do not go live by themselves."""
    sentence = (
        f"Model {model.model_id} serves now and stays live; to let newer ones go live again: "
        f"sartor loop set {name} modelAutoPublish=true"
    )
    print_result(_model_to_json(model), sentence, as_json=as_json)
