"""Roles, as they are granted to tokens and keys, and the permissions that each gives."""

from typing import Literal, TypeAlias

from msgspec import Struct

from sartor.ports import Loop

Role: TypeAlias = Literal["Reader", "User", "Contributor", "Owner"]
Permission: TypeAlias = Literal["read", "decide", "change", "own"]
"""To look at a loop, to rank and reward, to change it, to create or remove any loop."""

EVERY_LOOP = "*"

_ALLOWS: dict[Role, frozenset[Permission]] = {
    "Reader": frozenset(("read",)),
    "User": frozenset(("decide",)),
    "Contributor": frozenset(("read", "decide", "change")),
    "Owner": frozenset(("read", "decide", "change", "own")),
}


class Grant(Struct, frozen=True):
    """A role on one loop, by name, or on every loop. An Owner is one of every loop, whatever is named."""

    role: Role
    loop: str = EVERY_LOOP

    def allows(self, permission: Permission, loop: str, /) -> bool:
        """Whether it allows this on a loop; for something about no single loop, name ``EVERY_LOOP``."""
        if permission not in _ALLOWS[self.role]:
            return False
        return self.role == "Owner" or self.loop in (EVERY_LOOP, loop)


class Caller(Struct, frozen=True, kw_only=True):
    """Who sends a request.

    Attributes:
        name: what the audit log says; it holds no secret.
        grants: its roles.
        loop_id: of the only loop that it may see, where its credential is that loop's: a key stays that of a
            deleted loop when another one is made under its name. Empty: the grants say it all.
    """

    name: str
    grants: tuple[Grant, ...] = ()
    loop_id: str = ""

    def may(self, permission: Permission, loop: str, /) -> bool:
        """Whether any of the grants allows this on a loop."""
        return any(grant.allows(permission, loop) for grant in self.grants)

    def sees(self, loop: Loop, /) -> bool:
        """Whether this loop exists for it."""
        return self.loop_id in ("", loop.loop_id)
