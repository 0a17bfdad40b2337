"""The bodies for several slots as they are on the wire (contract, section 1.4)."""

from typing import Annotated

from msgspec import Meta, Struct

from sartor.api.dataplane.wire import ID_SCHEMA, SOME, Features, RankableAction, RewardValue


class SlotRequest(Struct, frozen=True, rename="camel"):
    """One place to fill: an id, what is known of it, and what may go there."""

    id: Annotated[
        str,
        Meta(
            description="Unique among the slots of the request.",
            extra_json_schema=ID_SCHEMA,
        ),
    ]
    baseline_action: Annotated[
        str,
        Meta(
            description="The id of the action that the application would have put here; another one in each "
            "slot, and not excluded here.",
            extra_json_schema=ID_SCHEMA,
        ),
    ]
    features: Annotated[
        Features | None, Meta(description="What is known of the place: position, size, page.")
    ] = None
    excluded_actions: Annotated[
        list[str] | None, Meta(description="Ids of actions that must not go here; each has to be there.")
    ] = None


class MultiSlotRankRequest(Struct, frozen=True, rename="camel"):
    """Asks which action to put in each slot."""

    actions: Annotated[
        list[RankableAction],
        Meta(
            description="The choices, at least as many as slots.",
            extra_json_schema=SOME,
        ),
    ]
    slots: Annotated[
        list[SlotRequest],
        Meta(
            description="The places, the most valuable first.",
            extra_json_schema=SOME,
        ),
    ]
    context_features: Annotated[
        Features | None, Meta(description="What is known of the situation: user, device, time, place.")
    ] = None
    event_id: Annotated[
        str | None,
        Meta(
            description="Joins the rewards to this decision; made by the service when absent.",
            extra_json_schema={
                "anyOf": [{"type": "string", "minLength": 1, "maxLength": 256}, {"type": "null"}]
            },
        ),
    ] = None
    defer_activation: Annotated[
        bool | None,
        Meta(description="True: the decision is learned only if it is activated within the reward wait time."),
    ] = None


class SlotResponse(Struct, frozen=True, rename="camel"):
    """A slot and the action to show in it."""

    id: str
    reward_action_id: Annotated[str, Meta(description="The action to show here.")]
    probability: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="With which this action was chosen here, given the slots before; an addition to the "
            "retired service's answer.",
        ),
    ]


class MultiSlotRankResponse(Struct, frozen=True, rename="camel"):
    """The decision. Show each slot's ``rewardActionId``, and send rewards for ``eventId``."""

    slots: list[SlotResponse]
    event_id: str


class SlotReward(Struct, frozen=True, rename="camel"):
    """How well the action in one slot did."""

    slot_id: Annotated[
        str,
        Meta(description="The slot's id in the rank.", extra_json_schema=ID_SCHEMA),
    ]
    value: RewardValue


class MultiSlotRewardRequest(Struct, frozen=True):
    """Rewards for some slots of one decision; they may be sent in several calls."""

    reward: Annotated[list[SlotReward], Meta(description="One for each slot that is rewarded.")]
