"""A process ends when its parent has ended: by SIGTERM first, and at once where it does not react."""

import os
import subprocess
import sys

import pytest

CHILD = """
import signal, sys, time
from sartor.runtime.shutdown import StopSignal, watch_parent

stop_signal = StopSignal()
if sys.argv[2] == "polite":
    stop_signal.listen()
else:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
watch_parent(int(sys.argv[1]), grace_s=0.5)
print("up", flush=True)
stop_signal.wait(60)
"""


@pytest.mark.parametrize(("manner", "code"), [("polite", 0), ("deaf", 1)])
def test_it_ends_with_its_supervisor(manner: str, code: int) -> None:
    lifeline, held = os.pipe()
    command = [sys.executable, "-c", CHILD, str(lifeline), manner]
    with subprocess.Popen(command, pass_fds=[lifeline], stdout=subprocess.PIPE) as child:
        os.close(lifeline)
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        assert child.poll() is None
        os.close(held)
        assert child.wait(10) == code
