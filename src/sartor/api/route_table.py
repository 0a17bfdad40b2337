"""The route tables: every operation of every version of the wire, and of the control plane.

A module of handlers ends in a tuple ``ROUTES``; it is listed here, and nowhere else.
"""

from sartor.api.admin import (
    configuration,
    evaluations,
    evaluations_2022,
    evaluations_apply,
    feature_importances,
    logs,
    metrics,
    models,
    policy,
    staged_models,
    uploads,
)
from sartor.api.control import loops, usage_and_erasure
from sartor.api.dataplane import routes as dataplane
from sartor.api.routing.matching import ControlMatcher, Resource, WireMatcher
from sartor.api.routing.routes import Route

ROUTES: tuple[Route, ...] = (
    *dataplane.ROUTES,
    *configuration.ROUTES,
    *policy.ROUTES,
    *models.ROUTES,
    *staged_models.ROUTES,
    *logs.ROUTES,
    *metrics.ROUTES,
    *evaluations.ROUTES,
    *evaluations_2022.ROUTES,
    *evaluations_apply.ROUTES,
    *feature_importances.ROUTES,
    *uploads.ROUTES,
)
"""Those of the wire."""

CONTROL_ROUTES: tuple[Route, ...] = (*loops.ROUTES, *usage_and_erasure.ROUTES)

match_path = WireMatcher(ROUTES).match
"""See ``matching.WireMatcher.match``."""

match_control_path = ControlMatcher(CONTROL_ROUTES).match
"""See ``matching.ControlMatcher.match``."""

__all__ = ["CONTROL_ROUTES", "ROUTES", "Resource", "match_control_path", "match_path"]
