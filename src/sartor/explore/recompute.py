"""Recomputing a past decision: what was asked then, and whether the answer is the same now."""

from sartor.explore.decide import Request
from sartor.records import Decision


def asked(decision: Decision, /) -> Request:
    """The request that a decision answered."""
    return Request(
        event_id=decision.event_id,
        context=decision.context,
        actions=decision.actions,
        excluded=decision.excluded,
        deferred=decision.deferred,
    )


def differences(decision: Decision, again: Decision, /) -> list[str]:
    """The names of the fields in which a recomputed decision differs; none: it is the same, bit for bit."""
    fields = Decision.__struct_fields__
    return [name for name in fields if getattr(decision, name) != getattr(again, name)]
