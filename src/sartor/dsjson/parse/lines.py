"""Parses one line of a joined log: an imported decision, or the reason why the line is rejected."""

import re
from typing import Literal

import msgspec
from msgspec import UNSET, Struct

from sartor.dsjson.parse import multi_slot, single_slot
from sartor.dsjson.parse.members import ParsedLine
from sartor.errors import InvalidRequest
from sartor.numbers import REWARD_RANGE
from sartor.records import ImportedDecision

Kind = Literal["blank", "checkpoint", "dangling", "pending", "no probabilities", "reward", "invalid", "corrupt"]

REASONS: dict[Kind, str] = {
    "blank": "nothing on the line",
    "checkpoint": "a record of offsets, not of a decision",
    "dangling": "a reward that met no decision",
    "pending": "a decision that was not settled yet",
    "no probabilities": "it has no p (no _p in a slot): the probability with which each action could have "
    "been chosen; without it nothing can be learned from a log without bias",
    "reward": f"a reward that is not {REWARD_RANGE}",
    "invalid": "not a decision, or one that contradicts itself",
    "corrupt": "not JSON",
}
"""Why each kind of line is rejected."""

_BOM = b"\xef\xbb\xbf"
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_decode = msgspec.json.Decoder(ParsedLine).decode


class RejectedLine(Struct, frozen=True):
    """A line that gives no decision. ``reason``: what is wrong with this line, as a sentence."""

    kind: Kind
    reason: str


def parse_line(line: bytes, /) -> ImportedDecision | RejectedLine:
    """Returns the decision of a line and its outcome; never raises, whatever the line holds.

    The versions of settings are 0: it was not decided under those of this loop.
    """
    text = line.removeprefix(_BOM).strip()
    if not text:
        return _reject("blank")
    if text.startswith(b"["):
        return _reject("checkpoint")
    try:
        found = _parse_decision(_decode(text), text)
    except InvalidRequest as error:
        return RejectedLine("invalid", error.message)
    except msgspec.ValidationError as error:
        return RejectedLine("invalid", f"{error}.")
    except _UNREADABLE as error:
        return RejectedLine("corrupt", f"Not JSON: {error}.")
    if isinstance(found, ImportedDecision) and not found.outcome.is_in_range:
        return RejectedLine("reward", f"The reward is {found.outcome.reward:g}; one is {REWARD_RANGE}.")
    return found


def _parse_decision(line: ParsedLine, text: bytes) -> ImportedDecision | RejectedLine:
    if line.pending:
        return _reject("pending")
    if line.reward_value is not UNSET or line.enqueued is not UNSET:
        return _reject("dangling")
    if b"\\u0000" in text and _NUL.search(text):  # texts end at a NUL in the engine
        return RejectedLine("invalid", "It holds a NUL character.")
    if line.context is UNSET:
        return RejectedLine("invalid", "c, the context, is missing.")
    if line.outcomes is UNSET:
        return (
            single_slot.to_imported(line)
            if single_slot.has_probabilities(line)
            else _reject("no probabilities")
        )
    return multi_slot.to_imported(line) if multi_slot.has_probabilities(line) else _reject("no probabilities")


def _reject(kind: Kind) -> RejectedLine:
    return RejectedLine(kind, REASONS[kind])
