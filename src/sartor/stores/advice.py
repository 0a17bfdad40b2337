"""What to do about a file of the stores that can't be used: one sentence for each kind, true of that kind."""

from pathlib import Path

FROM_BACKUP = "Restore the loop from a backup (sartor loop restore)."
NOT_FROM_ELSEWHERE = f"The log can't be made again from anything else. {FROM_BACKUP}"

_STEPS = {
    "events": NOT_FROM_ELSEWHERE,
    "outcomes": (
        "Stop the service and run `sartor doctor --repair`, which settles the log anew if that is sound, or "
        "restore the loop from a backup."
    ),
    "jobs": "Stop the service and run `sartor doctor --repair`, which begins an empty queue.",
    "catalog": "Put a copy of it from a backup of the data folder in its place, with the secret.key of then.",
}
_ELSE = "Put the file of a backup in its place."

OUT_OF_WAY = "Move away what has its place, or let the user of the service write there."
"""For a file or folder that can't be made."""


def advise_on_damage(path: Path, /) -> str:
    """What to do where a database is damaged, or another loop's: a sentence or two."""
    return _STEPS.get(path.stem, _ELSE)
