"""Mends what is damaged in the stores of loops, where that is safe, while no process uses them."""

from collections.abc import Callable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from sartor.errors import InvalidSetting, SartorError
from sartor.loops import Repairs
from sartor.ports import Loop
from sartor.problems import Damage
from sartor.stores.audited import AuditedStores, refuse_locked


class Repair(Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of one piece of damage.

    Attributes:
        loop: the name of the loop.
        found: what is damaged, in a sentence.
        done: what was done about it; empty: nothing.
        left: why nothing was done; empty where something was.
    """

    loop: str
    found: str
    done: str = ""
    left: str = ""


def repair_all_loops(stores: AuditedStores, accept: Callable[[Damage], bool], /) -> Iterator[Repair]:
    """Find what is damaged in the stores of every loop, and mend what is accepted; one loop stops no other.

    No process may use the data folder meanwhile. Each repair leaves an entry in the audit log.

    Args:
        stores: the instance's stores.
        accept: whether to apply the remedy of a piece of damage that has one.

    Raises:
        StoreUnavailable: the catalog can't be read.
        InvalidSetting: these stores can't be repaired.
    """
    bare = stores.wrapped
    if not isinstance(bare, Repairs):
        raise InvalidSetting("The stores of this instance are repaired by other means.")
    for loop in stores.catalog.loops():
        try:
            found = bare.find_damage(loop)
        except Exception as error:  # whatever is wrong with one loop, the others are looked at
            reason = error.message if isinstance(error, SartorError) else repr(error)
            yield Repair(loop=loop.name, found=reason, left="It can't be looked at.")
            continue
        for damage in found:
            yield _repair(stores, bare, loop, damage, accept)
    for unreadable in stores.catalog.unreadable():
        yield Repair(loop=unreadable.name, found=unreadable.reason, left="It can't be mended here.")


def _repair(
    stores: AuditedStores, bare: Repairs, loop: Loop, damage: Damage, accept: Callable[[Damage], bool]
) -> Repair:
    if not damage.remedy:
        return Repair(loop=loop.name, found=damage.message, left="It can't be mended here.")
    if not accept(damage):
        return Repair(loop=loop.name, found=damage.message, left="It was left as it is.")
    renumbers = damage.kind == "outcomes" and loop.first_outcome is not None
    try:
        if renumbers:  # the catalog refuses it of a locked loop: then nothing must be done by halves
            refuse_locked(loop)
        done = bare.mend(loop, damage)
        if renumbers:
            # Outcomes are numbered anew: the number of the first one to learn means another one now.
            stores.catalog.update(replace(loop, first_outcome=1))
    except SartorError as error:
        return Repair(loop=loop.name, found=damage.message, left=error.message)
    stores.note("repair", loop, before={"found": damage.message}, after={"done": done})
    return Repair(loop=loop.name, found=damage.message, done=done)
