"""Examples of bodies for the description: those that this service accepts and gives, and tested as such."""

EVENT_ID = "75269AD0-BFEE-4598-8196-C57383D38E10"

RANK_REQUEST: dict[str, object] = {
    "contextFeatures": [{"user": {"device": "mobile", "returning": True}}, {"time": {"hour": 9}}],
    "actions": [
        {"id": "sports_article", "features": [{"topic": "sports", "length": "short"}]},
        {"id": "finance_article", "features": [{"topic": "finance", "embedding": [0.1, -0.4, 0.7]}]},
        {"id": "travel_article", "features": [{"topic": "travel", "length": "long"}]},
    ],
    "excludedActions": ["travel_article"],
    "eventId": EVENT_ID,
    "deferActivation": False,
}

RANK_RESPONSE: dict[str, object] = {
    "ranking": [
        {"id": "sports_article", "probability": 0.9},
        {"id": "finance_article", "probability": 0.1},
        {"id": "travel_article", "probability": 0.0},
    ],
    "eventId": EVENT_ID,
    "rewardActionId": "sports_article",
}

REWARD_REQUEST: dict[str, object] = {"value": 1.0}

SLOTS_REQUEST: dict[str, object] = {
    "contextFeatures": [{"user": {"device": "mobile", "returning": True}}],
    "actions": [
        {"id": "sports_article", "features": [{"topic": "sports"}]},
        {"id": "finance_article", "features": [{"topic": "finance"}]},
        {"id": "travel_article", "features": [{"topic": "travel"}]},
    ],
    "slots": [
        {
            "id": "top",
            "features": [{"size": "large"}],
            "excludedActions": ["travel_article"],
            "baselineAction": "sports_article",
        },
        {"id": "side", "features": [{"size": "small"}], "baselineAction": "finance_article"},
    ],
    "eventId": EVENT_ID,
    "deferActivation": False,
}

SLOTS_RESPONSE: dict[str, object] = {
    "slots": [
        {"id": "top", "rewardActionId": "sports_article", "probability": 0.9},
        {"id": "side", "rewardActionId": "travel_article", "probability": 0.1},
    ],
    "eventId": EVENT_ID,
}

SLOT_REWARDS_REQUEST: dict[str, object] = {"reward": [{"slotId": "top", "value": 1.0}]}
