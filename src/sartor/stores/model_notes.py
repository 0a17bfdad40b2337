"""What people say of the models of one loop, in the rows of ``models``; bytes are removed by name only here."""

from collections.abc import Sequence
from pathlib import Path

from sartor.errors import ModelInUse, ModelNotFound, StoreUnavailable
from sartor.records import ModelNote
from sartor.stores.connection import SqliteConnection
from sartor.stores.statements import statements

_SQL = statements("outcomes")


class SqliteModelNotes:
    """``ModelNotes`` in a loop's folder."""

    def __init__(self, folder: Path, connection: SqliteConnection, /) -> None:
        self._folder = folder
        self._connection = connection

    def all(self) -> Sequence[ModelNote]:
        """One for each model whose bytes are there, newest first.

        Raises:
            StoreUnavailable: the registry can't be read now.
        """
        rows = self._connection.rows(_SQL["notes"])
        return [ModelNote(model_id=name, saved=bool(saved), description=text) for name, saved, text in rows]

    def note(self, note: ModelNote, /) -> None:
        """Replace what is said of a model.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
            StoreUnavailable: the registry can't be written now.
        """
        with self._connection.transaction() as raw:
            done = raw.execute(_SQL["note"], (note.saved, note.description, note.model_id))
            if not done.rowcount:
                raise _missing(note.model_id)

    def remove(self, model_id: str, /) -> None:
        """Take the bytes of a model that does not serve.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
            ModelInUse: it is the live one.
            StoreUnavailable: the registry can't be written now.
        """
        with self._connection.transaction() as raw:
            if raw.execute(_SQL["live_id"]).fetchone()[0] == model_id:
                raise ModelInUse(f"The model {model_id} serves now: publish another one first.")
            if not raw.execute(_SQL["remove_blob"], (model_id,)).rowcount:
                raise _missing(model_id)
        try:
            (self._folder / f"{model_id}.vw").unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"Model {model_id} can't be removed: {error.strerror}.") from error


def _missing(model_id: str) -> ModelNotFound:
    return ModelNotFound(f"There is no model {model_id!r}, or it is too old to be kept.")
