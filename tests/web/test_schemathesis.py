"""The OpenAPI document against the service that serves it: what it promises is what comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.web.service import RunningService, copy_of

EXAMPLES = 30
# Named here so that a run shows them one by one; the first test holds the list against the document.
OPERATIONS = (
    "submit_lead",
    "submit_form",
    "form_thanks",
    "show_form",
    "ask_before_cancel",
    "ask_when",
    "cancel_by_form",
    "move_by_form",
    "see_lead",
    "cancel_lead",
    "follow_lead",
    "move_lead",
    "see_site",
    "take_delivery",
    "try_hook",
    "report_call",
    "live",
    "ready",
    "health",
)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def operations(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Every documented operation of a running service, by its id."""
    folder = tmp_path_factory.mktemp("schema")
    with RunningService(copy_of(sqlite_template, folder)) as service:
        schema = schemathesis.openapi.from_url(f"{service.url}/openapi.json")
        results: list[Any] = list(schema.get_all_operations())
        found = [result.ok() for result in results]
        yield {operation.definition.raw["operationId"]: operation for operation in found}


def test_every_documented_operation_is_tried(operations: dict[str, Any]) -> None:
    tried = set(OPERATIONS) | {"metrics"}  # metrics' text grows with the run; tests of its own read it
    assert {name for name in operations if not name.startswith("admin")} <= tried
    assert tried <= set(operations)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_keeps_the_documents_word(operations: dict[str, Any], name: str) -> None:
    """No 5xx, only documented statuses and content types, and bodies of the documented shape."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operations[name].as_strategy())
    def keeps_its_word(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, timeout=10)

    keeps_its_word()
