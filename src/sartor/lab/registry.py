"""The worlds by name, in the order in which to read them."""

from collections.abc import Mapping
from typing import Any

from sartor.errors import CallerError
from sartor.lab.world import World
from sartor.lab.worlds.call_to_action import CallToAction
from sartor.lab.worlds.digital_signage import DigitalSignage
from sartor.lab.worlds.email_subject import EmailSubject
from sartor.lab.worlds.feature_nudge import FeatureNudge
from sartor.lab.worlds.hero_banner import HeroBanner
from sartor.lab.worlds.learning_content import LearningContent
from sartor.lab.worlds.next_article import NextArticle
from sartor.lab.worlds.notification import Notification
from sartor.lab.worlds.onboarding_step import OnboardingStep
from sartor.lab.worlds.retail_promotion import RetailPromotion
from sartor.lab.worlds.search_reranking import SearchReranking
from sartor.lab.worlds.support_article import SupportArticle
from sartor.lab.worlds.tutorial import Tutorial

WORLDS: Mapping[str, type[World[Any]]] = {
    kind.name: kind
    for kind in (
        Tutorial,
        HeroBanner,
        NextArticle,
        OnboardingStep,
        EmailSubject,
        CallToAction,
        SupportArticle,
        RetailPromotion,
        LearningContent,
        FeatureNudge,
        DigitalSignage,
        SearchReranking,
        Notification,
    )
}


def open_world(name: str, /, *, seed: int = 0) -> World[Any]:
    """Returns a new world of that name.

    Raises:
        CallerError: the name is not in ``WORLDS``; the message lists them.
    """
    if name not in WORLDS:
        raise CallerError(f"There is no world {name!r}. Worlds: {', '.join(WORLDS)}.")
    return WORLDS[name](seed=seed)
