"""A crashed child is restarted, after growing pauses, and stopped on request."""

import asyncio
import sys
from pathlib import Path

from sartor.service.child_process import ChildSupervisor, Role

LIVES = "import sys, time; open(sys.argv[1], 'a').write('.'); time.sleep(60)"
DIES = "import sys; open(sys.argv[1], 'a').write('.'); sys.exit(3)"


def role(code: str, mark: Path) -> Role:
    return Role(name="work", command=(sys.executable, "-c", code, str(mark)))


def started(mark: Path) -> int:
    return len(mark.read_text()) if mark.exists() else 0


async def until(mark: Path, times: int) -> None:
    async with asyncio.timeout(20):
        while started(mark) < times:
            await asyncio.sleep(0.01)


def test_a_child_that_keeps_crashing_is_restarted_after_growing_pauses(tmp_path: Path) -> None:
    async def watch() -> list[float]:
        child = ChildSupervisor(role(DIES, tmp_path / "mark"))
        running = asyncio.create_task(child.run())
        clock = asyncio.get_running_loop().time
        times = []
        for count in (1, 2, 3, 4):
            await until(tmp_path / "mark", count)
            times.append(clock())
        child.stop()
        await running
        return times

    first, second, third, fourth = asyncio.run(watch())
    assert third - second >= 0.1
    assert fourth - third >= 0.2
    assert second - first < 20


def test_a_stopped_child_is_not_started_again(tmp_path: Path) -> None:
    async def watch() -> None:
        child = ChildSupervisor(role(LIVES, tmp_path / "mark"))
        running = asyncio.create_task(child.run())
        await until(tmp_path / "mark", 1)
        child.stop()
        await asyncio.wait_for(running, 10)

    asyncio.run(watch())
    assert started(tmp_path / "mark") == 1


def test_a_stop_interrupts_the_pause(tmp_path: Path) -> None:
    async def watch() -> None:
        child = ChildSupervisor(Role(name="work", command=(str(tmp_path / "no-such-program"),)))
        running = asyncio.create_task(child.run())
        await asyncio.sleep(1)
        child.stop()
        await asyncio.wait_for(running, 1)

    asyncio.run(watch())
