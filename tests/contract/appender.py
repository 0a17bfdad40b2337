"""A process that appends until it is done or killed, and prints after each batch that it was acknowledged.

python appender.py FOLDER LOOP WHO BATCHES BATCH
"""

import sys
from pathlib import Path

from sartor.records import Decision, Observation
from sartor.stores.stores import open_stores
from sartor.testing.builders import make_decision, make_loop


def batch_of(who: str, number: int, size: int) -> list[Decision | Observation]:
    """Decisions ``WHO-NUMBER-0`` … and as many rewards."""
    ids = [f"{who}-{number}-{place}" for place in range(size)]
    decisions = [make_decision(event_id) for event_id in ids]
    return [*decisions, *(Observation(event_id=event_id, reward=1.0) for event_id in ids)]


def main(folder: str, loop: str, who: str, batches: str, size: str) -> None:
    """Append the batches."""
    stores = open_stores(Path(folder))
    events = stores.open(make_loop(loop)).events
    for number in range(int(batches)):
        events.append(batch_of(who, number, int(size)))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
