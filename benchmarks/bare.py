"""The bare loop: decode, predict, sample, encode in one process; no HTTP, nothing logged.

Twice: with the ``Workspace`` of the vowpalwabbit package as its documentation shows it, which is what the
targets are measured against, and with the raw bindings that Sartor's own engine uses. Both decode and encode
with msgspec, which is the fastest way there is; a loop with the ``json`` module would be slower.

Run as ``python -m benchmarks.bare KIND BODIES MODEL SECONDS ARGUMENTS``: prints ranks a second.
"""

import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct
from vowpalwabbit import Workspace
from vowpalwabbit.pyvw import pylibvw

KINDS = ("workspace", "bindings")

Predict = Callable[[bytes, int], Sequence[float]]


class _Action(Struct):
    id: str
    features: Raw


class _Body(Struct, rename="camel"):
    event_id: str
    context_features: Raw
    actions: list[_Action]


class _Ranked(Struct):
    id: str
    probability: float


class _Answer(Struct, rename="camel"):
    ranking: list[_Ranked]
    event_id: str
    reward_action_id: str


_decode = msgspec.json.Decoder(_Body).decode
_encode = msgspec.json.Encoder().encode


def opened(arguments: str, model: Path | None = None, /) -> Any:
    """A workspace that reads JSON lines, empty or with a model."""
    state = f" --initial_regressor {model}" if model else ""
    return Workspace(f"{arguments} --dsjson --quiet{state}")


def trained(arguments: str, log: Path, model: Path, /) -> Path:
    """Learn a joined log and keep the model: what the service has learned, without the service."""
    workspace = opened(arguments)
    for line in log.read_text().splitlines():
        workspace.learn(line)
    workspace.save(str(model))
    workspace.finish()
    return model


def with_workspace(workspace: Any, /) -> Predict:
    """Predictions as the documentation of the package shows them."""

    def predict(context: bytes, count: int) -> Sequence[float]:
        scores: Sequence[float] = workspace.predict(_question(context, count).decode())
        return scores

    return predict


def with_bindings(workspace: Any, /) -> Predict:
    """Predictions through the bindings beneath."""
    raw = pylibvw.vw

    def predict(context: bytes, count: int) -> Sequence[float]:
        examples = raw._parse(workspace, _question(context, count).decode())
        raw.predict_multi(workspace, examples)
        scores: Sequence[float] = examples[0].get_action_scores()
        raw._finish_example_multi_ex(workspace, examples)
        return scores

    return predict


def _question(context: bytes, count: int) -> bytes:
    return b'{"a":%b,"c":%b}' % (_encode(list(range(1, count + 1))), context)


def rank(body: bytes, predict: Predict, source: random.Random, /) -> bytes:
    """One rank, from the bytes of the question to those of the answer."""
    asked = _decode(body)
    actions = [
        b'{"_tag":"%b","i":{"constant":1,"id":"%b"},"j":%b}'
        % (action.id.encode(), action.id.encode(), action.features)
        for action in asked.actions
    ]
    context = b'{"FromUrl":%b,"_multi":[%b]}' % (asked.context_features, b",".join(actions))
    scores = predict(context, len(actions))
    (chosen,) = source.choices(range(len(actions)), weights=scores)
    ranked = sorted(zip(scores, asked.actions, strict=True), key=lambda pair: -pair[0])
    ranking = [_Ranked(action.id, score) for score, action in ranked]
    return _encode(_Answer(ranking, asked.event_id, asked.actions[chosen].id))


def rate(bodies: Sequence[bytes], predict: Predict, /, *, seconds: float) -> float:
    """Ranks a second."""
    source = random.Random(1)
    done, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        for body in bodies:
            rank(body, predict, source)
        done += len(bodies)
    return done / spent


def main(kind: str, bodies: str, model: str, seconds: str, arguments: str) -> None:
    """Measure one kind and print its rate."""
    workspace = opened(arguments, Path(model))
    predict = with_workspace(workspace) if kind == "workspace" else with_bindings(workspace)
    lines = Path(bodies).read_bytes().splitlines()
    rate(lines, predict, seconds=0.5)
    print(rate(lines, predict, seconds=float(seconds)))


if __name__ == "__main__":
    main(*sys.argv[1:])
