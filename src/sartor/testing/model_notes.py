"""What people say of models, in memory."""

from collections.abc import Sequence

from sartor.records import ModelNote
from sartor.testing.disk import Disk
from sartor.testing.models import MemoryModels


class MemoryModelNotes:
    """``ModelNotes`` that live as long as the object."""

    def __init__(self, models: MemoryModels, /, *, disk: Disk) -> None:
        self._models = models
        self._disk = disk
        self._notes: dict[str, ModelNote] = {}

    def all(self) -> Sequence[ModelNote]:
        """One for each model whose bytes are there, newest first."""
        self._disk.check()
        return [self._notes.get(model_id, ModelNote(model_id=model_id)) for model_id in self._models.kept()]

    def note(self, note: ModelNote, /) -> None:
        """Replace what is said of a model.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
        """
        self._models.blob(note.model_id)
        self._notes[note.model_id] = note
        (self._models.saved.add if note.saved else self._models.saved.discard)(note.model_id)

    def remove(self, model_id: str, /) -> None:
        """Take the bytes of a model that does not serve.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
            ModelInUse: it is the live one.
        """
        self._models.remove(model_id)
