"""What the clients send."""

from datetime import UTC, datetime, timedelta
from typing import Any

POLICY = {"name": "challenger", "arguments": "--cb_explore_adf --epsilon 0.2 --cb_type mtr -q ::"}
NOW = datetime.now(UTC)
BEGIN, END = NOW - timedelta(hours=2), NOW + timedelta(hours=2)


def actions(*names: str) -> list[dict[str, Any]]:
    return [{"id": name, "features": [{"taste": name}, {"vector": [0.5, -1]}]} for name in names]


def ranked(event_id: str) -> dict[str, Any]:
    """A rank of three actions, the first of which is excluded."""
    return {
        "eventId": event_id,
        "contextFeatures": [{"hour": 9}],
        "actions": actions("pasta", "juice", "ice"),
        "excludedActions": ["pasta"],
    }


def two_slots(event_id: str) -> dict[str, Any]:
    """A rank of two slots; some samples send the features of a slot under a name that no schema has."""
    return {
        "eventId": event_id,
        "contextFeatures": [{"hour": 9}],
        "actions": actions("pasta", "juice", "ice"),
        "slots": [
            {"id": "top", "baselineAction": "pasta", "positionFeatures": [{"size": "large"}]},
            {"id": "side", "baselineAction": "juice", "excludedActions": ["ice"], "features": [{"size": 1}]},
        ],
    }


REWARDS = [{"slotId": "top", "value": 1.0}, {"slotId": "side", "value": -0.5}]


def importance(**members: object) -> dict[str, Any]:
    """Asks for a feature importance over the time of the tests."""
    return {"name": "weighed", "startTime": BEGIN, "endTime": END, **members}


def evaluation(**members: object) -> dict[str, Any]:
    """Asks for an evaluation over the time of the tests."""
    return {"name": "tried", "startTime": BEGIN, "endTime": END, "policies": [POLICY], **members}
