"""What every test shares: property tests without a stopwatch, and how the tests are spread over the cores."""

import os

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

# Two threads of linear algebra wait for one another: on a busy machine ten times as long as they compute.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile(
    "sartor", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("sartor")  # machines differ and are shared

WHOLE_SERVICES = ("tests/acceptance/", "tests/docs/test_commands.py", "tests/wire/clients/")
"""The tests that start whole services and wait for what several processes do."""


class OneServiceAtATime(LoadFileScheduling):  # type: ignore[misc]
    """Gives each worker a file at a time; the files that start whole services all go to the same worker.

    Such a service has five processes or more, and the tests say within how many seconds it must have done
    something: two of them side by side on two cores would be tested for their patience.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "services" if nodeid.startswith(WHOLE_SERVICES) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """As many workers as there are cores that this process may use, in a container too."""
    import joblib

    return int(joblib.cpu_count())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneServiceAtATime | None:
    """The scheduler of ``--dist loadfile``: in the order of collection, which begins with the services."""
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return OneServiceAtATime(config, log)
