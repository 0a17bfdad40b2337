"""What the handlers of this room need of the service to administer a loop.

Handlers run on a few threads of their own. What they are given here may block for a disk write or longer, and
may be called from several threads at once.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from sartor.api.evaluations_admin import EvaluationAdmin
from sartor.api.models_admin import ModelAdmin
from sartor.ports import Loop, LoopStores


class Admin(ModelAdmin, EvaluationAdmin, Protocol):
    """Changes loops and opens their stores, through the same functions as the command line."""

    def acting_for(self, caller: str, /) -> "Admin":
        """The same, for one caller: the activity log says that it was this one."""

    def note(self, loop: Loop, action: str, about: str, /) -> None:
        """Leave a line in the activity log about a change that is not a change of the loop's own settings."""

    def loop(self, loop: Loop, /) -> Loop:
        """The loop as it is in the catalog now.

        Raises:
            LoopNotFound: it was deleted.
        """

    def configure(self, loop: Loop, changes: Mapping[str, object], /) -> Loop:
        """Change settings, under their names on the wire; returns the loop as it is then.

        Raises:
            InvalidSetting: a value outside its range.
            LoopNotFound: the loop was deleted.
        """

    def set_policy(self, loop: Loop, arguments: str | None, /, *, name: str) -> Loop:
        """Replace the learning settings and their name; None puts the default ones back.

        Raises:
            InvalidPolicy: the arguments are not acceptable.
            LoopNotFound: the loop was deleted.
        """

    def logs(self, loop: Loop, /) -> AbstractContextManager[LoopStores]:
        """The stores of the loop, for this thread; closed at the end."""
