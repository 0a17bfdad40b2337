"""The description of each version is true: requests made from it, good and bad, are answered as it says."""

from contextlib import nullcontext, suppress
from copy import deepcopy
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sartor.api import route_table
from sartor.api.description import openapi
from sartor.api.routing import versions
from sartor.api.routing.versions import Version
from sartor.settings import DEFAULT_ARGUMENTS
from tests.wire.harness import OWNER_KEY, Service, served
from tests.wire.test_multislot import SEVERAL

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FEW = settings(
    max_examples=6,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


KINDS = [*((version, DEFAULT_ARGUMENTS) for version in versions.ALL_VERSIONS), (versions.V2022_09, SEVERAL)]


def _label(part: Version | str) -> str:
    return part.split()[0] if isinstance(part, str) else part.name


@pytest.mark.parametrize(("version", "arguments"), KINDS, ids=_label)
def test_every_operation_answers_as_described(version: Version, arguments: str) -> None:
    service = Service(arguments=arguments)
    described = schemathesis.openapi.from_dict(openapi.describe_version(version))
    operations = [result.ok() for result in described.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) > len([route for route in route_table.ROUTES if version in route.versions])
    with served(service) as endpoint, requests.Session() as session:
        session.headers["ocp-apim-subscription-key"] = service.loop.key1
        for operation in operations:
            _try(operation, endpoint, session)
    service.close()


def test_every_operation_of_the_control_plane_answers_as_described(service: Service, endpoint: str) -> None:
    described = schemathesis.openapi.from_dict(openapi.describe_version(versions.CONTROL_V1))
    operations = [result.ok() for result in described.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) == len(route_table.CONTROL_ROUTES)
    with requests.Session() as session:
        session.headers["ocp-apim-subscription-key"] = OWNER_KEY
        for operation in operations:
            _try(operation, endpoint, session, examples=25)


def _try(
    operation: APIOperation[Any, Any, Any, Any],
    endpoint: str,
    session: requests.Session,
    *,
    examples: int = FEW.max_examples,
) -> None:
    for mode in GenerationMode:

        @settings(FEW, max_examples=examples)
        @given(case=operation.as_strategy(generation_mode=mode))
        def answers(case: Case[Any]) -> None:
            case.call_and_validate(endpoint, session, checks=CHECKS, timeout=10)

        # Where a request has no part that could be wrong, there is no bad one.
        with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
            answers()


def test_a_description_that_lies_is_found_out(service: Service, endpoint: str) -> None:
    lie = deepcopy(openapi.describe_version(versions.V1_0))
    schemas: Any = lie["components"]
    schemas["schemas"]["PolicyContract"]["required"].append("nonsense")
    described = schemathesis.openapi.from_dict(lie)
    operation = described["/personalizer/v1.0/configurations/policy"]["GET"]
    with requests.Session() as session:
        session.headers["ocp-apim-subscription-key"] = service.loop.key1
        with pytest.raises(FailureGroup, match="nonsense"):
            _try(operation, endpoint, session)
