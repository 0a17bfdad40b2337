"""Health: how often the disk is bothered for it, and what is said to whom."""

import asyncio

from sartor.access.authentication import Authenticator
from sartor.access.served_loops import LoopTable
from sartor.api.http.health import HealthProbe
from sartor.runtime.instance_state import InstanceState

SCOPE = {"headers": [], "query_string": b"", "client": ("127.0.0.1", 1), "method": "GET"}


def test_a_probe_is_believed_for_half_a_second() -> None:
    probed_s: list[float] = []
    now_s = [0.0]

    def probe() -> InstanceState:
        probed_s.append(now_s[0])
        return InstanceState()

    health = HealthProbe(probe, Authenticator(LoopTable()), clock_s=lambda: now_s[0])
    for moment_s in (0.0, 0.1, 0.4, 0.5, 0.9, 1.0):
        now_s[0] = moment_s
        assert asyncio.run(health.ready(SCOPE)).status == 200
    assert probed_s == [0.0, 0.5, 1.0]
    assert health.live().body == b'{"status":"live"}'
