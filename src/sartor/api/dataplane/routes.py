"""The routes of the data plane: rank, reward and activate, for one slot and for several."""

from sartor.api.dataplane import examples
from sartor.api.dataplane.multislot_wire import (
    MultiSlotRankRequest,
    MultiSlotRankResponse,
    MultiSlotRewardRequest,
)
from sartor.api.dataplane.wire import ExplainedRankResponse, RankRequest, RankResponse, RewardRequest
from sartor.api.routing.routes import Operation, Route
from sartor.api.routing.versions import ALL_VERSIONS, PREVIEWS, V1_0, Version

RANK = Operation("rank", "InvalidRankRequest")
REWARD = Operation("reward", "InvalidRewardRequest")
ACTIVATE = Operation("activate", "InvalidEventIdToActivate")
RANK_SLOTS = Operation("rank", "InvalidRankRequest", slots=True)
REWARD_SLOTS = Operation("reward", "InvalidRewardRequest", slots=True)
ACTIVATE_SLOTS = Operation("activate", "InvalidEventIdToActivate", slots=True)

_TAG = "Decisions"
_RANK_DESCRIPTION = (
    "The same event id to the same model gives the same answer. With the first action excluded, ranking[0] is "
    "not the chosen one: show rewardActionId."
)
_REWARD_DESCRIPTION = (
    "Counts within the loop's reward wait time, from its rank. An unknown event id is accepted: a reward may "
    "arrive up to two minutes before its rank."
)
_ACTIVATE_DESCRIPTION = "For ranks with deferActivation; needs no body, and a reward does not stand in for it."


def _build_rank_route(versions: tuple[Version, ...], response: object) -> Route:
    return Route(
        name="Rank",
        method="POST",
        path="/rank",
        versions=versions,
        handler=RANK,
        permission="decide",
        tag=_TAG,
        summary="Choose an action for a context.",
        description=_RANK_DESCRIPTION,
        status=201,
        success="The decision, committed.",
        invalid=RANK.invalid,
        request=RankRequest,
        response=response,
        codes=("ModelRankingError", "InvalidApiAccess"),
        headers={"csp-billing-usage": "What the retired service billed: one transaction."},
        request_example=examples.RANK_REQUEST,
        response_example=examples.RANK_RESPONSE,
    )


ROUTES = (
    _build_rank_route((V1_0,), RankResponse),
    _build_rank_route(PREVIEWS, ExplainedRankResponse),
    Route(
        name="Reward",
        method="POST",
        path="/events/{eventId}/reward",
        versions=ALL_VERSIONS,
        handler=REWARD,
        permission="decide",
        tag=_TAG,
        summary="Say how well the shown action did.",
        description=_REWARD_DESCRIPTION,
        status=204,
        success="The reward, committed.",
        invalid=REWARD.invalid,
        request=RewardRequest,
        codes=("InvalidApiAccess",),
        request_example=examples.REWARD_REQUEST,
    ),
    Route(
        name="Activate",
        method="POST",
        path="/events/{eventId}/activate",
        versions=ALL_VERSIONS,
        handler=ACTIVATE,
        permission="decide",
        tag=_TAG,
        summary="Say that a deferred decision was shown after all.",
        description=_ACTIVATE_DESCRIPTION,
        status=204,
        success="The activation, committed.",
        invalid=ACTIVATE.invalid,
        codes=("InvalidApiAccess",),
    ),
    Route(
        name="RankSlots",
        method="POST",
        path="/multislot/rank",
        versions=PREVIEWS,
        handler=RANK_SLOTS,
        permission="decide",
        tag=_TAG,
        summary="Fill several slots, each with another action.",
        description="The slots are filled in their order. Each answers with the probability with which its "
        "action was chosen among those that were left for it.",
        status=201,
        success="The decision, committed.",
        invalid=RANK_SLOTS.invalid,
        request=MultiSlotRankRequest,
        response=MultiSlotRankResponse,
        codes=("ModelRankingError", "InvalidMultiSlotApiAccess"),
        headers={"csp-billing-usage": "What the retired service billed: one transaction."},
        request_example=examples.SLOTS_REQUEST,
        response_example=examples.SLOTS_RESPONSE,
    ),
    Route(
        name="RewardSlots",
        method="POST",
        path="/multislot/events/{eventId}/reward",
        versions=PREVIEWS,
        handler=REWARD_SLOTS,
        permission="decide",
        tag=_TAG,
        summary="Say how well the actions in some slots did.",
        description=_REWARD_DESCRIPTION
        + " So is an unknown slot id: its reward is kept and learned by nothing.",
        status=204,
        success="The rewards, committed together.",
        invalid=REWARD_SLOTS.invalid,
        request=MultiSlotRewardRequest,
        codes=("InvalidMultiSlotApiAccess",),
        request_example=examples.SLOT_REWARDS_REQUEST,
    ),
    Route(
        name="ActivateSlots",
        method="POST",
        path="/multislot/events/{eventId}/activate",
        versions=PREVIEWS,
        handler=ACTIVATE_SLOTS,
        permission="decide",
        tag=_TAG,
        summary="Say that all slots of a deferred decision were shown after all.",
        description=_ACTIVATE_DESCRIPTION,
        status=204,
        success="The activation, committed.",
        invalid=ACTIVATE_SLOTS.invalid,
        codes=("InvalidMultiSlotApiAccess",),
    ),
)
