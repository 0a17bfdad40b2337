"""The life cycle of a loop: created with its terms, tagged, locked, deleted, recovered, purged.

All functions take the stores of the caller; a running instance follows within a second.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from sartor import times
from sartor.access.allowed_networks import parse_networks
from sartor.errors import InvalidSetting, LoopNotFound
from sartor.management import loops
from sartor.ports import Loop, Stores
from sartor.settings import Lock, LoopTerms
from sartor.stores.audited import may_name_loops
from sartor.times import DAY_US

RECOVERABLE_DAYS = 7
"""How long a deleted loop can be recovered."""

_TAGS = 50
_TAG_CHARS = 256


def create_on_terms(
    stores: Stores, name: str, /, *, terms: Mapping[str, object] | None = None, loop_id: str | None = None
) -> Loop:
    """Create a loop with two new keys.

    Args:
        stores: those of the caller.
        name: small letters, digits, ``-`` and ``_``.
        terms: members of ``settings.LoopTerms`` by their names on the wire.
        loop_id: see ``loops.create_loop``.

    Raises:
        InvalidSetting: the name, the id or a term is not valid.
        LoopExists: the name or the id is in use.
    """
    return loops.create_loop(stores, name, terms=_change_terms(LoopTerms(), terms or {}), loop_id=loop_id)


def set_terms(stores: Stores, name: str, changes: Mapping[str, object], /) -> Loop:
    """Change terms, under their names on the wire; ``tags`` are replaced as a whole.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: it is locked, and this does not unlock it.
        InvalidSetting: an unknown term, or a value outside its range.
    """
    loop = loops.find_loop(stores, name)
    return stores.catalog.update(replace(loop, terms=_change_terms(loop.terms, changes)))


def set_tags(stores: Stores, name: str, changes: Mapping[str, str | None], /) -> Loop:
    """Add or replace some tags; None removes one.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: it is locked against changes.
        InvalidSetting: a tag has no name, or is too long, or there are too many.
    """
    tags = {**loops.find_loop(stores, name).terms.tags, **changes}
    return set_terms(stores, name, {"tags": {tag: value for tag, value in tags.items() if value is not None}})


def lock(stores: Stores, name: str, /, *, against: Lock) -> Loop:
    """Lock a loop against deletion, or against every change; ``none`` unlocks it.

    Raises:
        LoopNotFound: there is no such loop.
    """
    return set_terms(stores, name, {"lock": against})


def delete(stores: Stores, name: str, /) -> Loop:
    """Delete a loop; it can be recovered for ``RECOVERABLE_DAYS``.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: it is locked.
    """
    loop = loops.find_loop(stores, name)
    until_us = times.now_us() + RECOVERABLE_DAYS * DAY_US
    stores.catalog.delete(name, recoverable_until_us=until_us)
    return replace(loop, recoverable_until_us=until_us)


def list_deleted(stores: Stores, /) -> Sequence[Loop]:
    """Returns the deleted loops that can still be recovered, the latest last."""
    now_us = times.now_us()
    found = [loop for loop in stores.catalog.deleted() if loop.recoverable_until_us > now_us]
    return sorted(found, key=lambda loop: loop.recoverable_until_us)


def find_deleted(stores: Stores, name: str, /) -> Loop:
    """Returns the loop of that name or id that was deleted last.

    Raises:
        LoopNotFound: there is none that can be recovered.
    """
    found = [loop for loop in list_deleted(stores) if name in (loop.name, loop.loop_id)]
    if not found and not may_name_loops(stores):
        raise LoopNotFound(f"There is no deleted loop {name!r} to recover.")
    if not found:
        known = ", ".join(sorted({loop.name for loop in list_deleted(stores)})) or "none"
        raise LoopNotFound(f"There is no deleted loop {name!r} to recover. Deleted loops: {known}.")
    return found[-1]


def recover(stores: Stores, name: str, /, *, rename: str | None = None) -> Loop:
    """Recover a deleted loop with its keys, its log and its models, under its name or another one.

    Raises:
        LoopNotFound: there is none of that name or id to recover.
        LoopExists: the name is in use.
    """
    return stores.catalog.recover(find_deleted(stores, name).loop_id, name=rename)


def purge(stores: Stores, name: str, /) -> Loop:
    """Let a deleted loop be removed for good; the work process does so within seconds.

    Raises:
        LoopNotFound: there is none of that name or id.
    """
    loop = find_deleted(stores, name)
    stores.catalog.give_up(loop.loop_id)
    return loop


def _change_terms(terms: LoopTerms, changes: Mapping[str, object]) -> LoopTerms:
    current: dict[str, object] = msgspec.to_builtins(terms)
    unknown = sorted(set(changes) - set(current))
    if unknown:
        raise InvalidSetting(f"There is no term {unknown[0]!r}. Terms: {', '.join(current)}.")
    try:
        new = msgspec.convert(current | dict(changes), LoopTerms, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidSetting(f"Not a valid term: {error}.") from error
    parse_networks(new.allowed_networks)
    _check_tags(new.tags)
    return new


def _check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > _TAGS:
        raise InvalidSetting(f"A loop has {_TAGS} tags at most.")
    for name, value in tags.items():
        if not 1 <= len(name) <= _TAG_CHARS or len(value) > _TAG_CHARS:
            raise InvalidSetting(f"The names and values of tags have 1 to {_TAG_CHARS} characters.")
