"""How a child learns that its supervisor is gone: a pipe that nobody writes to ends when its writer dies."""

import os
import signal
import threading
import time


def watch(descriptor: int, /, *, grace_s: float = 3.0) -> None:
    """Stop this process when the pipe ends: politely first, and for good after ``grace_s`` seconds.

    The kernel closes the other end whatever the supervisor died of, ``kill -9`` included.
    """
    threading.Thread(target=_wait, args=(descriptor, grace_s), name="lifeline", daemon=True).start()


def _wait(descriptor: int, grace_s: float) -> None:
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace_s)
    os._exit(1)
