"""The bare loop: decodes, predicts, samples and encodes in one process; no HTTP, no log.

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


def open_workspace(arguments: str, model: Path | None = None, /) -> Any:
    """Open a workspace that reads JSON lines, empty or with a model."""
    state = f" --initial_regressor {model}" if model else ""
    return Workspace(f"{arguments} --dsjson --quiet{state}")


def train_model(arguments: str, log: Path, model: Path, /) -> Path:
    """Learn a joined log and save the model: what the service learned, without the service."""
    workspace = open_workspace(arguments)
    for line in log.read_text().splitlines():
        workspace.learn(line)
    workspace.save(str(model))
    workspace.finish()
    return model


def predict_with_workspace(workspace: Any, /) -> Predict:
    """Returns a function that predicts as the documentation of the package shows."""

    def predict(context: bytes, count: int) -> Sequence[float]:
        scores: Sequence[float] = workspace.predict(_encode_query(context, count).decode())
        return scores

    return predict


def predict_with_bindings(workspace: Any, /) -> Predict:
    """Returns a function that predicts with the bindings below ``Workspace``."""
    raw = pylibvw.vw

    def predict(context: bytes, count: int) -> Sequence[float]:
        examples = raw._parse(workspace, _encode_query(context, count).decode())
        raw.predict_multi(workspace, examples)
        scores: Sequence[float] = examples[0].get_action_scores()
        raw._finish_example_multi_ex(workspace, examples)
        return scores

    return predict


def _encode_query(context: bytes, count: int) -> bytes:
    return b'{"a":%b,"c":%b}' % (_encode(list(range(1, count + 1))), context)


def rank(body: bytes, predict: Predict, source: random.Random, /) -> bytes:
    """Answer one rank, from the bytes of the request to those of the answer."""
    request = _decode(body)
    actions = [
        b'{"_tag":"%b","i":{"constant":1,"id":"%b"},"j":%b}'
        % (action.id.encode(), action.id.encode(), action.features)
        for action in request.actions
    ]
    context = b'{"FromUrl":%b,"_multi":[%b]}' % (request.context_features, b",".join(actions))
    scores = predict(context, len(actions))
    (chosen,) = source.choices(range(len(actions)), weights=scores)
    ranked = sorted(zip(scores, request.actions, strict=True), key=lambda pair: -pair[0])
    ranking = [_Ranked(action.id, score) for score, action in ranked]
    return _encode(_Answer(ranking, request.event_id, request.actions[chosen].id))


def measure_rate(bodies: Sequence[bytes], predict: Predict, /, *, seconds: float) -> float:
    """Returns ranks per second."""
    source = random.Random(1)
    done, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        for body in bodies:
            rank(body, predict, source)
        done += len(bodies)
    return done / spent


def main(kind: str, bodies: str, model: str, seconds: str, arguments: str) -> None:
    """Measure one kind and print its rate."""
    workspace = open_workspace(arguments, Path(model))
    predict = predict_with_workspace(workspace) if kind == "workspace" else predict_with_bindings(workspace)
    lines = Path(bodies).read_bytes().splitlines()
    measure_rate(lines, predict, seconds=0.5)
    print(measure_rate(lines, predict, seconds=float(seconds)))


if __name__ == "__main__":
    main(*sys.argv[1:])
