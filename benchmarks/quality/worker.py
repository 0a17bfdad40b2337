"""A process that plays runs of one learner: reads them as JSON lines, writes their results as JSON lines."""

import sys

import msgspec

from benchmarks.quality.catalogue import open_stream
from benchmarks.quality.contestants import CONTESTANTS
from benchmarks.quality.learners import Learner, open_engine
from benchmarks.quality.peers import PEERS
from benchmarks.quality.play import StreamResult, play_stream
from benchmarks.quality.runs import PlannedRun


def play_run(run: PlannedRun, /) -> StreamResult:
    """Play one run."""
    world = open_stream(run.world, seed=run.seed)
    learner: Learner
    if run.learner in PEERS:
        learner = PEERS[run.learner](world, turns=run.turns, seed=run.seed)
    else:
        arguments = CONTESTANTS[run.learner].arguments if run.learner in CONTESTANTS else run.learner
        learner = open_engine(arguments, seed=run.seed)
    return play_stream(world, learner, turns=run.turns)


def main() -> None:
    """Play what comes in, until there is no more."""
    decoder = msgspec.json.Decoder(PlannedRun)
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(msgspec.json.encode(play_run(decoder.decode(line))) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
