"""Finds what is damaged in the folder of a loop, and mends what can be made again from what is left.

Nothing is deleted but drafts that no process finished: what is damaged is moved to ``damaged/TIME`` beside it.
Only the log itself, the events, can't be made from anything else.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sartor.errors import Corrupt, ModelNotFound, SartorError, StoreUnavailable
from sartor.loops import Loop
from sartor.private_files import make_private_folder, write_private
from sartor.problems import Damage
from sartor.stores.advice import FROM_BACKUP, NOT_FROM_ELSEWHERE, advise_on_damage
from sartor.stores.connection import SqliteConnection
from sartor.stores.layout import Layout
from sartor.stores.models import SqliteModelNotes, SqliteModels
from sartor.stores.monotonic_clock import holds_time
from sartor.stores.schema import flush, read_statements

_DRAFT_AGE_S = 3_600.0
_MOST_NAMED = 5
_SQL = read_statements("events")
_OUTCOMES = read_statements("outcomes")


class LoopRepair:
    """The repair of one loop, which no process may use meanwhile."""

    def __init__(self, layout: Layout, loop: Loop, /) -> None:
        """Nothing is looked at yet."""
        self._layout = layout
        self._loop = loop
        self._folder = layout.loop(loop.name)

    def find(self) -> list[Damage]:
        """Returns what is damaged; reads every page of the databases."""
        if not self._folder.is_dir():
            if not self._layout.made.has(self._loop.loop_id, "events"):
                return []
            state = "is no folder" if self._folder.exists() else "is missing"
            message = f"loops/{self._loop.name} {state}. {NOT_FROM_ELSEWHERE}"
            return [self._damage("folder", message)]
        databases = list(self._find_in_databases())
        models = [] if any(found.kind == "outcomes" for found in databases) else self._find_in_models()
        return [*databases, *models, *self._find_in_clock(), *self._find_drafts()]

    def mend(self, damage: Damage, /) -> str:
        """Mends what ``find`` found; returns what was done, in a sentence.

        Raises:
            StoreUnavailable: the folder can't be written, or there is nothing that could be done.
        """
        mend = {
            "outcomes": self._settle_anew,
            "jobs": self._drop_jobs,
            "models": self._drop_models,
            "latest-time": self._take_time_from_log,
            "drafts": self._remove_drafts,
        }.get(damage.kind)
        if mend is None:
            raise StoreUnavailable(f"{damage.message} Nothing was changed.")
        try:
            return mend()
        except OSError as error:
            raise StoreUnavailable(f"loops/{self._loop.name} can't be mended: {error.strerror}.") from error

    def _damage(self, kind: str, message: str, remedy: str = "") -> Damage:
        return Damage(
            loop_id=self._loop.loop_id, loop=self._loop.name, kind=kind, message=message, remedy=remedy
        )

    def _find_in_databases(self) -> Iterator[Damage]:
        events = self._examine("events")
        if events:
            is_said = NOT_FROM_ELSEWHERE in events
            yield self._damage("events", events if is_said else f"{events} {NOT_FROM_ELSEWHERE}")
        outcomes = self._examine("outcomes")
        if outcomes and events:
            yield self._damage("outcomes", f"{outcomes} {FROM_BACKUP}")
        elif outcomes:
            remedy = (
                "Settle all decisions of the log anew, by the settings of now, and learn them from the "
                "beginning. Corrections of rewards, imported models and the history of models are not in it."
            )
            yield self._damage("outcomes", outcomes, remedy)
        jobs = self._examine("jobs")
        if jobs:
            yield self._damage("jobs", jobs, "Begin an empty queue; evaluations and their results are gone.")

    def _examine(self, kind: str) -> str:
        """Why a database can't be used, in a sentence; empty: it can, or it was never made."""
        path = self._folder / f"{kind}.sqlite"
        if not os.path.lexists(path) and not self._layout.made.has(self._loop.loop_id, kind):
            return ""
        connection = SqliteConnection(
            path, kind, owner=self._loop.loop_id, checkpoints=False, made=self._layout.made
        )
        try:
            with closing(connection):
                found = [str(row[0]) for row in connection.rows("PRAGMA quick_check(3)")]
        except SartorError as error:
            return error.message
        if found == ["ok"]:
            return ""
        return f"{self._loop.name}/{path.name} is damaged: {'; '.join(found)}. {advise_on_damage(path)}"

    def _find_in_models(self) -> Iterator[Damage]:
        if not (self._folder / "outcomes.sqlite").exists():
            return
        with self._models() as (models, _):
            lost = list(_list_lost(models))
            live = models.live()
        if not lost:
            return
        names = ", ".join(lost[:_MOST_NAMED]) + (", …" if len(lost) > _MOST_NAMED else "")
        remedy = "Do without them."
        if live is not None and live.model_id in lost:
            remedy = (
                f"Serve the newest older model instead of {live.model_id}, or none, until the outcomes are "
                "learned again. One that was imported has to be imported again."
            )
        yield self._damage("models", f"Bytes of models are missing or damaged: {names}.", remedy)

    @contextmanager
    def _models(self) -> Iterator[tuple[SqliteModels, SqliteModelNotes]]:
        folder = self._folder / "models"
        with closing(self._connect("outcomes")) as connection:
            yield SqliteModels(folder, connection), SqliteModelNotes(folder, connection)

    def _find_in_clock(self) -> Iterator[Damage]:
        path = self._folder / "latest-time"
        remedy = "Take the latest time from the log."
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            if self._last_time():
                yield self._damage("latest-time", f"{self._loop.name}/latest-time is missing.", remedy)
            return
        except OSError as error:
            message = f"{self._loop.name}/latest-time can't be read: {error.strerror}."
            yield self._damage("latest-time", message, remedy)
            return
        if not holds_time(content):
            yield self._damage("latest-time", f"{self._loop.name}/latest-time holds no time.", remedy)

    def _find_drafts(self) -> Iterator[Damage]:
        drafts = self._drafts()
        if drafts:
            message = f"Drafts that were never finished, by processes that were killed: {len(drafts)}."
            yield self._damage("drafts", message, "Remove them.")

    def _drafts(self) -> Sequence[Path]:
        patterns = (".*.sqlite-*", "models/*.new", "shelf/.*", ".backup-*/*")
        before_s = time.time() - _DRAFT_AGE_S
        found = [path for pattern in patterns for path in self._folder.glob(pattern)]
        return [path for path in found if path.is_file() and path.stat().st_mtime < before_s]

    def _remove_drafts(self) -> str:
        drafts = self._drafts()
        for path in drafts:
            path.unlink(missing_ok=True)
        return f"Removed {len(drafts)} drafts."

    def _last_time(self) -> int:
        """The time of the latest commit in the log; 0: it is empty, or can't be read."""
        if self._examine("events") or not (self._folder / "events.sqlite").exists():
            return 0
        with closing(self._connect("events")) as events:
            last_us: int = events.rows(_SQL["last_time"])[0][0]
        return last_us

    def _take_time_from_log(self) -> str:
        self._set_aside("latest-time")
        last_us = self._last_time()
        write_private(self._folder / "latest-time", last_us.to_bytes(8, "little"))
        return "The latest time was taken from the log."

    def _drop_jobs(self) -> str:
        aside = self._set_aside("jobs.sqlite")
        self._layout.made.forget(self._loop.loop_id, "jobs")
        return f"The queue begins empty{aside}."

    def _drop_models(self) -> str:
        with self._models() as (models, notes):
            lost = list(_list_lost(models))
            aside = self._set_aside(*(f"models/{model_id}.vw" for model_id in lost))
            live = models.live()
            served = ""
            if live is not None and live.model_id in lost:
                older = (one for one in models.history() if one.model_id not in lost)
                sound = next((one.model_id for one in older if _has_bytes(models, one.model_id)), None)
                models.promote(sound)
                served = f" {'No model' if sound is None else f'Model {sound}'} serves now."
            for model_id in lost:
                with suppress(ModelNotFound):
                    notes.remove(model_id)
        return f"Models without sound bytes were taken out of service: {', '.join(lost)}{aside}.{served}"

    def _settle_anew(self) -> str:
        # The bytes of models too: without their rows, the next model that is published would remove them.
        aside = self._set_aside("outcomes.sqlite", "models")
        make_private_folder(self._folder / "models")
        self._layout.made.forget(self._loop.loop_id, "outcomes")
        with closing(self._connect("events")) as events:
            decision, observation = events.rows(_SQL["first_numbers"])[0]
        with closing(self._connect("outcomes")) as outcomes, outcomes.transaction() as raw:
            # What retention removed from the log is neither settled nor missed.
            before = max(0, decision - 1)
            raw.execute(_OUTCOMES["begin_after"], (before, before, max(0, observation - 1)))
        return f"The decisions of the log are settled and learned anew by the learn process{aside}."

    def _connect(self, kind: str) -> SqliteConnection:
        path = self._folder / f"{kind}.sqlite"
        return SqliteConnection(path, kind, owner=self._loop.loop_id, made=self._layout.made)

    def _set_aside(self, *names: str) -> str:
        """Moves files, with their write-ahead logs, to where nothing looks; returns the words for it."""
        found = [
            path
            for name in names
            for path in (self._folder / f"{name}{end}" for end in ("", "-wal", "-shm"))
            if os.path.lexists(path)
        ]
        if not found:
            return ""
        target = self._folder / "damaged" / time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        while target.exists():
            target = target.with_name(f"{target.name}-1")
        make_private_folder(target)
        for path in found:
            os.rename(path, target / path.name)
        flush(target)
        return f"; what was there is in {self._loop.name}/damaged/{target.name}"


def _list_lost(models: SqliteModels) -> Iterator[str]:
    """The models whose bytes should be there, and are not those that were published."""
    for model in models.history():
        try:
            models.blob(model.model_id)
        except ModelNotFound:  # pruned
            continue
        except (Corrupt, StoreUnavailable):
            yield model.model_id


def _has_bytes(models: SqliteModels, model_id: str) -> bool:
    try:
        models.blob(model_id)
    except (Corrupt, ModelNotFound, StoreUnavailable):
        return False
    return True
