"""A model registry in memory, and the notes on its models."""

from collections.abc import Hashable, Sequence

from sartor.errors import Corrupt, ModelInUse, ModelNotFound
from sartor.records import Model, ModelNote
from sartor.testing.fakes import Disk

KEPT = 20
"""How many of the newest models keep their bytes by default, besides the live one."""


class MemoryModels:
    """A ``ModelRegistry`` that lives as long as the object."""

    def __init__(self, *, disk: Disk) -> None:
        self._disk = disk
        self._models: dict[str, Model] = {}
        self._blobs: dict[str, bytes] = {}
        self._live_id: str | None = None
        self.saved: set[str] = set()
        """The models whose bytes are kept until they are removed by name; see ``MemoryModelNotes``."""

    def publish(self, model: Model, blob: bytes, /, *, live: bool, keep: int = KEPT) -> None:
        """Adds a model, and makes it the live one if ``live``.

        Raises:
            StoreUnavailable: the disk fails.
            Corrupt: there is a model with its id.
        """
        self._disk.check()
        if model.model_id in self._models:
            raise Corrupt(f"There is a model {model.model_id} already.")
        self._models[model.model_id] = model
        self._blobs[model.model_id] = blob
        if live:
            self._live_id = model.model_id
        for old in list(self._models)[:-keep]:
            if old not in (self._live_id, *self.saved) and self._models[old].base_id != old:
                self._blobs.pop(old, None)

    def mark(self) -> Hashable:
        """Returns what differs after a model was published, promoted or removed."""
        return len(self._models), len(self._blobs), self._live_id

    def history(self, *, limit: int | None = None) -> Sequence[Model]:
        """Returns every model ever published, or the newest ``limit``, newest first."""
        self._disk.check()
        return list(reversed(self._models.values()))[:limit]

    def blob(self, model_id: str, /) -> bytes:
        """Returns the bytes of a model.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
        """
        self._disk.check()
        if model_id not in self._blobs:
            raise ModelNotFound(f"There is no model {model_id!r}, or it is too old to be kept.")
        return self._blobs[model_id]

    def live(self) -> Model | None:
        """Returns the model that serves."""
        self._disk.check()
        return None if self._live_id is None else self._models[self._live_id]

    def kept(self) -> list[str]:
        """Returns the ids of the models whose bytes are kept, newest first."""
        return [model_id for model_id in reversed(self._models) if model_id in self._blobs]

    def remove(self, model_id: str, /) -> None:
        """Removes the bytes of a model that does not serve.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
            ModelInUse: it is the live one.
        """
        self.blob(model_id)
        if model_id == self._live_id:
            raise ModelInUse(f"The model {model_id} serves now: publish another one first.")
        del self._blobs[model_id]
        self.saved.discard(model_id)

    def promote(self, model_id: str | None, /) -> None:
        """Makes this model the live one; None: no model.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
        """
        if model_id is not None:
            self.blob(model_id)
        self._disk.check()
        self._live_id = model_id


class MemoryModelNotes:
    """``ModelNotes`` that live as long as the object."""

    def __init__(self, models: MemoryModels, /, *, disk: Disk) -> None:
        self._models = models
        self._disk = disk
        self._notes: dict[str, ModelNote] = {}

    def all(self) -> Sequence[ModelNote]:
        """Returns one note for each model whose bytes are kept, newest first."""
        self._disk.check()
        return [self._notes.get(model_id, ModelNote(model_id=model_id)) for model_id in self._models.kept()]

    def note(self, note: ModelNote, /) -> None:
        """Replaces the note of a model.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
        """
        self._models.blob(note.model_id)
        self._notes[note.model_id] = note
        (self._models.saved.add if note.saved else self._models.saved.discard)(note.model_id)

    def remove(self, model_id: str, /) -> None:
        """Removes the bytes of a model that does not serve.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
            ModelInUse: it is the live one.
        """
        self._models.remove(model_id)
