"""The jobs of one loop in ``jobs.sqlite``, which is created when the first one is put."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from sartor.errors import Corrupt, JobExists, JobNotFound, QueueFull
from sartor.records import LONGEST_LEASE_US, Job
from sartor.stores.connection import Row, SqliteConnection
from sartor.stores.made_files import MadeFiles
from sartor.stores.schema import read_statements

_SQL = read_statements("jobs")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Job).decode


class SqliteJobs:
    """A ``JobQueue`` in a loop's folder."""

    def __init__(self, folder: Path, /, *, loop_id: str, made: MadeFiles | None = None) -> None:
        """Prepares; nothing is opened yet.

        Args:
            folder: the loop's folder.
            loop_id: the loop that it must belong to.
            made: knows which databases are not made again.
        """
        self._path = folder / "jobs.sqlite"
        self._loop_id = loop_id
        self._made = made
        self._connection = SqliteConnection(self._path, "jobs", owner=loop_id, made=made)

    def put(self, job: Job, /, *, most_waiting: int | None = None) -> None:
        """Adds a job, unless so many are waiting already.

        Raises:
            JobExists: the id is taken.
            QueueFull: ``most_waiting`` are waiting.
            StoreUnavailable: the queue can't be written now.
        """
        with self._connection.transaction() as raw:
            try:
                raw.execute(_SQL["add_job"], (job.job_id, *_to_columns(job)))
            except sqlite3.IntegrityError as error:
                raise JobExists(f"There is a job {job.job_id!r} already.") from error
            (waiting,) = raw.execute(_SQL["count_waiting"]).fetchone()  # this one included
            if most_waiting is not None and waiting > most_waiting:
                raise QueueFull

    def count_waiting(self) -> int:
        """Returns how many jobs wait.

        Raises:
            StoreUnavailable: the queue can't be read now.
        """
        rows = self._rows(_SQL["count_waiting"])
        return int(rows[0][0]) if rows else 0

    def find(self, job_id: str, /) -> Job | None:
        """The job with an id; None: there is none. Reads no other job.

        Raises:
            StoreUnavailable: the queue can't be read now.
        """
        rows = self._rows(_SQL["job"], job_id)
        return _decode_row(rows[0]) if rows else None

    def jobs(self, *, kind: str | None = None) -> Sequence[Job]:
        """Returns all jobs, or those of a kind, oldest first.

        Raises:
            StoreUnavailable: the queue can't be read now.
        """
        if kind is None:
            return [_decode_row(row) for row in self._rows(_SQL["jobs"])]
        return [_decode_row(row) for row in self._rows(_SQL["jobs_of"], kind)]

    def claim(self, *, now_us: int, lease_us: int) -> Job | None:
        """Claims the oldest job that no worker holds. If there is none, it costs one short read.

        Raises:
            StoreUnavailable: the queue can't be written now.
        """
        latest_us = now_us + LONGEST_LEASE_US
        if not self._rows(_SQL["claimable"], now_us, latest_us):
            return None
        with self._connection.transaction() as raw:
            row = raw.execute(_SQL["claimable"], (now_us, latest_us)).fetchone()
            if row is None:
                return None
            job = _decode_row(row)
            claimed = _to_claimed(job, now_us=now_us, lease_us=lease_us)
            raw.execute(_SQL["replace_job"], (*_to_columns(claimed), job.job_id, job.attempts))
        return claimed

    def update(self, job: Job, /) -> bool:
        """Replaces a job. False, and nothing written, if it was deleted, canceled or claimed by another worker.

        Raises:
            StoreUnavailable: the queue can't be written now.
        """
        if not self._exists():
            return False
        with self._connection.transaction() as raw:
            replaced = raw.execute(_SQL["replace_job"], (*_to_columns(job), job.job_id, job.attempts))
            return replaced.rowcount == 1

    def delete(self, job_id: str, /) -> None:
        """Removes a job.

        Raises:
            JobNotFound: there is no such job.
            StoreUnavailable: the queue can't be written now.
        """
        if self._exists():
            with self._connection.transaction() as raw:
                if raw.execute(_SQL["delete_job"], (job_id,)).rowcount:
                    return
        raise JobNotFound(f"There is no job {job_id!r}.")

    def close(self) -> None:
        """Closes files and connections; idempotent."""
        self._connection.close()

    def _exists(self) -> bool:
        """Whether there is a queue; raises ``Corrupt`` if there was one, and it is gone."""
        if self._path.exists():
            return True
        if self._made is not None:
            self._made.check_missing(self._path, loop_id=self._loop_id, kind="jobs")
        return False

    def _rows(self, sql: str, *parameters: object) -> list[Row]:
        # Most loops never have a job: looking for one creates no file.
        return self._connection.rows(sql, parameters) if self._exists() else []


def _to_claimed(job: Job, *, now_us: int, lease_us: int) -> Job:
    return replace(
        job,
        state="running",
        attempts=job.attempts + 1,
        started_at_us=job.started_at_us or now_us,
        lease_until_us=now_us + lease_us,
    )


def _to_columns(job: Job) -> tuple[str, str, int, int, bytes]:
    return job.kind, job.state, job.lease_until_us, job.attempts, _encode(job)


def _decode_row(row: Row) -> Job:
    try:
        return _decode(row[0])
    except msgspec.DecodeError as error:
        raise Corrupt(f"A job can't be read: {error}.") from error
