"""A job queue in memory."""

from collections.abc import Sequence

from msgspec.structs import replace

from sartor.errors import JobExists, JobNotFound, QueueFull
from sartor.records import LONGEST_LEASE_US, Job
from sartor.testing.fakes import Disk


class MemoryJobs:
    """A ``JobQueue`` that lives as long as the object."""

    def __init__(self, *, disk: Disk) -> None:
        self._disk = disk
        self._jobs: dict[str, Job] = {}

    def put(self, job: Job, /, *, most_waiting: int | None = None) -> None:
        """Adds a job, unless so many are waiting already.

        Raises:
            JobExists: the id is taken.
            QueueFull: ``most_waiting`` are waiting.
        """
        self._disk.check()
        if job.job_id in self._jobs:
            raise JobExists(f"There is a job {job.job_id!r} already.")
        if most_waiting is not None and self.count_waiting() >= most_waiting:
            raise QueueFull
        self._jobs[job.job_id] = job

    def count_waiting(self) -> int:
        """Returns how many jobs wait."""
        self._disk.check()
        return sum(job.state == "pending" for job in self._jobs.values())

    def find(self, job_id: str, /) -> Job | None:
        """The job with an id; None: there is none."""
        self._disk.check()
        return self._jobs.get(job_id)

    def jobs(self, *, kind: str | None = None) -> Sequence[Job]:
        """Returns all jobs, or those of a kind, oldest first."""
        self._disk.check()
        return [job for job in self._jobs.values() if kind in (None, job.kind)]

    def claim(self, *, now_us: int, lease_us: int) -> Job | None:
        """Claims the oldest job that no worker holds."""
        self._disk.check()
        job = next((job for job in self._jobs.values() if _is_claimable(job, now_us)), None)
        if job is None:
            return None
        claimed = replace(
            job,
            state="running",
            attempts=job.attempts + 1,
            started_at_us=job.started_at_us or now_us,
            lease_until_us=now_us + lease_us,
        )
        self._jobs[job.job_id] = claimed
        return claimed

    def update(self, job: Job, /) -> bool:
        """Replaces a job. False, and nothing done, if it was deleted, canceled or claimed by another."""
        self._disk.check()
        stored = self._jobs.get(job.job_id)
        if stored is None or stored.state == "canceled" or stored.attempts != job.attempts:
            return False
        self._jobs[job.job_id] = job
        return True

    def delete(self, job_id: str, /) -> None:
        """Removes a job.

        Raises:
            JobNotFound: there is no such job.
        """
        self._disk.check()
        if self._jobs.pop(job_id, None) is None:
            raise JobNotFound(f"There is no job {job_id!r}.")


def _is_claimable(job: Job, now_us: int) -> bool:
    is_held = now_us < job.lease_until_us <= now_us + LONGEST_LEASE_US
    return job.state == "pending" or (job.state == "running" and not is_held)
