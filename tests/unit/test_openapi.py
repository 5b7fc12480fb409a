"""The route table, the handlers, the template and the OpenAPI document agree, each with each; and the document is whole."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import functions.channels.app
import functions.events.app
import functions.executions.app
import functions.tasks.app
from flowstrand import errors
from flowstrand.engine.events import EventType
from flowstrand.errors import CallerError
from flowstrand.http import streaming
from flowstrand.http.openapi import __main__ as command
from flowstrand.http.openapi import codes_page, document, parameters
from flowstrand.http.openapi.operations import OPERATIONS
from flowstrand.http.openapi.refusals import NOT_SUPPORTED, every_refusal
from flowstrand.local import routes
from flowstrand.local.routes import Manner
from tests.unit import template

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
DOCUMENT: Any = document.document()


def shape(method: str, path: str) -> tuple[str, str]:
    """A route without the names of its parameters, which differ from place to place."""
    return method.upper(), re.sub(r"<\w+>|\{\w+\}", "{}", path)


SERVED_BY = (
    "directory",
    "engine",
    "http",
    "local",
    "log",
    "payloads",
    "queues",
    "service",
    "streams",
    "timers",
    "views",
)
"""What answers requests, by the folders of the package."""
CALLERS: dict[str, str] = {
    name: error.code
    for name, error in vars(errors).items()
    if isinstance(error, type) and issubclass(error, CallerError)
}
UNMET = {
    "ROUTE_NOT_FOUND": "no route's: the page about the API has it",
    "EXECUTION_EXISTS": "of a tool that chooses ids; no route lets a caller do so",
    "INVALID_LIMIT": "queries are checked before they get there",
    "INVALID_MESSAGE": "of a queue's message, not of a request",
    "COMMIT_TOO_LARGE": "a guard behind the limits of everything that a commit is made of",
    "ITEM_TOO_LARGE": "a guard behind the limits of everything that a row is made of",
}
"""Codes of errors that no route's caller sees, and why."""
DESCRIBED = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
TABLE = {(route.method, route.resource) for route in routes.ROUTES if route.manner is not Manner.REFUSING}
REFUSING = {shape(route.method, route.resource) for route in routes.ROUTES if route.manner is Manner.REFUSING}
"""Routes that say no more than that their method is not for their path, where the document has the methods that are."""


def test_what_is_committed_is_what_the_routes_make() -> None:
    assert command.main(["--check", str(DOCS)]) == 0, "run ./scripts/openapi"


def test_the_document_is_valid() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_properties_are_called_what_they_are_called_in_json_wherever_they_are_spoken_of() -> None:
    assert sorted(set(re.findall(r"`[a-z]+(?:_[a-z0-9]+)+`", json.dumps(DOCUMENT)))) == []


def test_the_route_table_and_the_document_have_the_same_routes_and_parameters() -> None:
    assert DESCRIBED == TABLE


def test_the_handlers_and_the_document_have_the_same_routes() -> None:
    applications = (functions.channels.app, functions.events.app, functions.executions.app, functions.tasks.app)
    handled = set(streaming.ROUTES).union(*(app.application.routes() for app in applications))
    assert {shape(*route) for route in handled} - REFUSING == {shape(*route) for route in DESCRIBED}


def test_the_template_and_the_document_have_the_same_routes() -> None:
    assert {shape(*route) for route in template.routes()} - REFUSING == {shape(*route) for route in DESCRIBED}


def test_the_template_and_the_route_table_send_each_route_to_the_same_function() -> None:
    table = {shape(route.method, route.resource): route.function for route in routes.ROUTES}
    assert {shape(*route): function for route, function in template.routes().items()} == table


def test_each_operation_asks_for_the_principal_that_its_function_asks_for() -> None:
    principals = {
        (route.method, route.resource): "worker" if route.function == "tasks" else "user"
        for route in routes.ROUTES
    }
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            key, *others = operation["security"]
            assert key == {"apiKey": [principals[method.upper(), path]]}
            assert others in ([], [{"ticket": []}])


def test_names_of_operations_are_unique_and_every_tag_is_described() -> None:
    assert [name for name, count in Counter(o.name for o in OPERATIONS).items() if count > 1] == []
    assert {o.tag for o in OPERATIONS} == {tag["name"] for tag in DOCUMENT["tags"]}


def test_every_parameter_of_a_path_that_is_known_is_used() -> None:
    used = {name for _, path in DESCRIBED for name in re.findall(r"\{(\w+)\}", path)}
    assert used == parameters.IN_PATHS.keys()


def test_every_type_of_event_has_a_schema() -> None:
    assert DOCUMENT["components"]["schemas"]["Event"]["discriminator"]["mapping"].keys() == {*EventType}


def test_every_reference_leads_somewhere_and_every_component_is_referred_to() -> None:
    referred = set(_references(DOCUMENT))
    there = {
        f"#/components/{kind}/{name}"
        for kind, components in DOCUMENT["components"].items()
        if kind != "securitySchemes"
        for name in components
    }
    assert referred == there


def test_every_code_is_some_routes() -> None:
    described = {refusal.code for operation in OPERATIONS for refusal in operation.all_refusals()}
    # No field may be left that is not supported.
    assert described | {NOT_SUPPORTED.code} == {refusal.code for refusal in every_refusal()}


def test_every_code_that_a_caller_can_meet_is_described() -> None:
    described = {refusal.code for refusal in every_refusal()}
    assert {code: places for code, places in _codes().items() if code not in described | UNMET.keys()} == {}
    assert UNMET.keys() <= _codes().keys()


def test_a_code_has_one_status() -> None:
    assert max(Counter(refusal.code for refusal in every_refusal()).values()) == 1


def test_the_check_tells_a_stale_file_from_a_fresh_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "http-api.md").write_text("<!-- codes: here -->\n<!-- end of codes -->\n", encoding="utf-8")
    check, folder, file = "--check", str(tmp_path), tmp_path / "openapi.json"

    assert command.main([check, folder]) == 1
    assert command.main([folder]) == 0
    assert command.main([check, folder]) == 0
    file.write_text(file.read_text(encoding="utf-8").replace("getExecution", "fetchExecution"), encoding="utf-8")
    assert command.main([check, folder]) == 1
    assert f"{file} is out of date" in capsys.readouterr().err
    assert "| `SCHEDULE_EXISTS` |" in (tmp_path / "http-api.md").read_text(encoding="utf-8")


def test_a_page_without_a_place_for_the_codes_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        codes_page.with_table("# The HTTP API")


def _codes() -> dict[str, list[str]]:
    """The codes of every error of a caller's that is made somewhere, and where."""
    found: dict[str, list[str]] = defaultdict(list)
    for folder in SERVED_BY:
        for file in (ROOT / "layers/engine/flowstrand" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLERS:
                    given = [
                        k.value for k in node.keywords if k.arg == "code" and isinstance(k.value, ast.Constant)
                    ]
                    code = str(given[0].value) if given else CALLERS[node.func.id]
                    found[code].append(f"{file.relative_to(ROOT)}:{node.lineno}")
    return found


def _references(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for key, item in value.items():
                if key == "$ref":
                    yield item
                yield from _references(item)
        case list():
            for item in value:
                yield from _references(item)
        case _:
            pass
