"""What a process need not load: the numerics of evaluations take tens of megabytes and a tenth of a second."""

import subprocess
import sys

import pytest

HEAVY = "('numpy', 'scipy', 'matplotlib', 'joblib', 'distributed')"


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        pytest.param("sartor.service.api_process", {"numpy"}, id="answers, with the engine of new loops"),
        pytest.param("sartor.service.learn_process", {"numpy"}, id="learns, and keeps the scorecard"),
        pytest.param("sartor.cli.app", set(), id="the command line"),
    ],
)
def test_a_process_loads_what_it_needs(role: str, allowed: set[str]) -> None:
    code = f"import sys, {role}; print(*(name for name in {HEAVY} if name in sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True)
    assert set(found.stdout.split()) <= allowed
