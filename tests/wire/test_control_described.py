"""The description of the control plane is true: requests made from it are answered as it says."""

from contextlib import nullcontext, suppress
from typing import Any

import requests
import schemathesis
from hypothesis import given
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.core.result import Ok

from sartor.api.description import openapi
from sartor.api.route_table import CONTROL_ROUTES
from sartor.api.routing.versions import CONTROL_V1
from tests.wire.harness import OWNER_KEY, Service, served
from tests.wire.test_described import CHECKS, FEW


def test_every_operation_answers_as_described(service: Service) -> None:
    described = schemathesis.openapi.from_dict(openapi.describe_version(CONTROL_V1))
    operations = [result.ok() for result in described.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) == len(CONTROL_ROUTES)
    with served(service) as endpoint, requests.Session() as session:
        session.headers["ocp-apim-subscription-key"] = OWNER_KEY
        for operation in operations:
            _try(operation, endpoint, session)


def _try(operation: APIOperation[Any, Any, Any, Any], endpoint: str, session: requests.Session) -> None:
    for mode in GenerationMode:

        @FEW
        @given(case=operation.as_strategy(generation_mode=mode))
        def answers(case: Case[Any]) -> None:
            case.call_and_validate(endpoint, session, checks=CHECKS, timeout=10)

        # Where a request has no part that could be wrong, there is no bad one.
        with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
            answers()
