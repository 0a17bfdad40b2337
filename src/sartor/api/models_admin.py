"""What the handlers of models and logs need of the service; part of ``admin.Admin``."""

from typing import Protocol

from sartor.ports import Loop
from sartor.records import ModelNote


class ModelAdmin(Protocol):
    """Changes the models and the log of a loop. Each method raises LoopNotFound if the loop was deleted."""

    def signed(self, model: bytes, /) -> bytes:
        """The zip of the engine's own file of a model, signed by this instance."""

    def import_model(self, loop: Loop, body: bytes, /) -> None:
        """Put a model from elsewhere in the place of the live one.

        Raises:
            InvalidModel: it is no model, or does not fit the loop.
            InvalidSignature: it is not signed by someone who is accepted, or was changed since.
        """

    def reset_model(self, loop: Loop, /) -> None:
        """Forget the model: decisions are uniform until the next export."""

    def publish_model(self, loop: Loop, model_id: str, /) -> None:
        """Make a model of the history the live one, and keep it: new ones no longer go live by themselves.

        Raises:
            ModelNotFound: no such model, or its bytes are gone.
        """

    def note_model(self, loop: Loop, note: ModelNote, /) -> None:
        """Replace what is said of a model.

        Raises:
            ModelNotFound: no such model, or its bytes are gone.
        """

    def remove_model(self, loop: Loop, model_id: str, /) -> None:
        """Remove the bytes of a model of the history.

        Raises:
            ModelNotFound: no such model, or its bytes are gone.
            ModelInUse: it serves, or the models of today began with it.
        """

    def delete_logs(self, loop: Loop, /) -> None:
        """Remove the log, and keep the model.

        Raises:
            StoreUnavailable: not all is removed; repeat it.
        """
