"""The bodies of rank and reward as they are on the wire (contract, sections 1.2, 1.3, 1.9).

Most of the contract is in the types and is checked while the JSON is read. What types can't say is checked in
``decoding``; what is wrong with a body, in words that name the field, is found by ``validation_errors``.
"""

from typing import Annotated, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from sartor.features import MAGNITUDE as MAGNITUDE
from sartor.features import Features as Features
from sartor.numbers import LARGEST_REWARD, REWARD_RANGE

LEVELS = 8
"""How deep the objects of a feature may nest, the outermost included."""

ID_SCHEMA: dict[str, object] = {"minLength": 1, "maxLength": 256}
Id: TypeAlias = Annotated[str, Meta(extra_json_schema=ID_SCHEMA)]
SOME: dict[str, object] = {"minItems": 1, "maxItems": 50}


class RankableAction(Struct, frozen=True):
    """One thing that could be shown: an id and what is known of it."""

    id: Annotated[
        str,
        Meta(
            description="Unique among the actions of the request; it is itself a feature.",
            extra_json_schema=ID_SCHEMA,
        ),
    ]
    features: Annotated[
        Features,
        Meta(
            description="What is known of the action; at least one feature that is not null.",
            extra_json_schema={"minItems": 1},
        ),
    ]


class RankRequest(Struct, frozen=True, rename="camel"):
    """Asks which of the actions to show in this context."""

    actions: Annotated[
        list[RankableAction],
        Meta(
            description="The choices; the first that is not excluded is the baseline.",
            extra_json_schema=SOME,
        ),
    ]
    context_features: Annotated[
        Features | None, Meta(description="What is known of the situation: user, device, time, place.")
    ] = None
    excluded_actions: Annotated[
        list[str] | None,
        Meta(description="Ids of actions that must not be chosen; ids that are not there are ignored."),
    ] = None
    event_id: Annotated[
        Id | None, Meta(description="Joins the reward to this decision; made by the service when absent.")
    ] = None
    defer_activation: Annotated[
        bool | None,
        Meta(description="True: the decision is learned only if it is activated within the reward wait time."),
    ] = None


class RankedAction(Struct, frozen=True):
    """An action with the probability with which it was chosen, or would have been."""

    id: str
    probability: Annotated[float, Meta(ge=0, le=1)]


class RankResponse(Struct, frozen=True, rename="camel"):
    """The decision. Show ``rewardActionId``, and send the reward for ``eventId``."""

    ranking: Annotated[
        list[RankedAction],
        Meta(description="The chosen action first, except that excluded ones stay where the request had them."),
    ]
    event_id: str
    reward_action_id: Annotated[str, Meta(description="The action to show.")]


class FeatureScore(Struct, frozen=True):
    """How much one feature, or pair of features, weighed; positive speaks for the action."""

    name: Annotated[str, Meta(description="namespace.feature.")]
    score: float


class ActionExplanation(Struct, frozen=True):
    """Why an action was thought as good as it was."""

    id: str
    features: list[FeatureScore]


class ExplainedRankResponse(RankResponse, frozen=True, rename="camel", omit_defaults=True):
    """The decision. Show ``rewardActionId``, and send the reward for ``eventId``."""

    inference_explanation: Annotated[
        list[ActionExplanation] | UnsetType,
        Meta(description="Which features mattered; with isInferenceExplainabilityEnabled only."),
    ] = UNSET


RewardValue: TypeAlias = Annotated[
    float,
    Meta(
        ge=-LARGEST_REWARD,
        le=LARGEST_REWARD,
        description=f"Usually between -1 and 1; {REWARD_RANGE}, and kept as sent.",
    ),
]


class RewardRequest(Struct, frozen=True):
    """How well the shown action did."""

    value: RewardValue
