"""What definitions say of themselves: schemas that their JSON satisfies, and hashes that change when they do."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel, Field, computed_field

from flowstrand import App, TaskContext, WorkflowContext, task, workflow
from flowstrand.sdk.task import TaskDefinition
from flowstrand.worker.manifests import manifests_of


class Line(BaseModel):
    item: str
    price: Decimal = Decimal(1)

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def label(self) -> str:
        return self.item.upper()


class Wide(BaseModel):
    field: str = Field(description="x" * 40_000)


class Big(BaseModel):
    field: str = Field(description="x" * 30_000)


class Order(BaseModel):
    lines: list[Line] = Field(alias="orderLines")
    when: datetime | None = None


@dataclass
class Receipt:
    paid: Decimal
    seal: bytes


@task(name="charge", queue="payments")
async def charge(_ctx: TaskContext, order: Order) -> Receipt:
    """Charge a card, once.

    The rest is for readers of the code.
    """
    return Receipt(sum((line.price for line in order.lines), Decimal(0)), b"\xff")


@task
async def ping(_ctx: TaskContext) -> None: ...


@task
async def greet(_ctx: TaskContext, name: Line | str = "world") -> str:
    return str(name)


@task
async def anything(_ctx: TaskContext, value: Any) -> Any:
    return value


@task
async def untyped(_ctx, value=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - on purpose
    return value


@workflow(name="order")
async def order(ctx: WorkflowContext, order: Order) -> Line:
    await ctx.schedule(charge, order)
    return order.lines[0]


def test_the_input_schema_is_of_what_may_be_sent_and_the_output_schema_of_what_is_written() -> None:
    assert charge.input_schema["required"] == ["orderLines"]
    assert order.input_schema == charge.input_schema
    output: Any = order.output_schema
    assert set(output["properties"]) == {"item", "price", "label"}
    paid: Any = charge.output_schema["properties"]
    assert paid["paid"]["type"] == "string"
    assert (paid["seal"]["type"], paid["seal"]["format"]) == ("string", "base64url")


def test_what_is_not_taken_is_null_and_what_is_not_declared_is_anything() -> None:
    assert (ping.input_schema, ping.output_schema) == ({"type": "null"}, {"type": "null"})
    assert (anything.input_schema, anything.output_schema) == ({}, {})
    definition: TaskDefinition[Any, Any] = untyped
    assert (definition.input_schema, definition.output_schema) == ({}, {})


@pytest.mark.parametrize(
    ("definition", "inputs"),
    [
        (charge, [{"orderLines": [{"item": "a", "price": 1}]}, Order(orderLines=[Line(item="a")])]),
        (greet, ["moon", Line(item="a"), None]),
        (ping, [None]),
        (anything, [{"a": [1, None]}]),
    ],
    ids=["charge", "greet", "ping", "anything"],
)
def test_whatever_is_accepted_satisfies_the_schema(
    definition: TaskDefinition[Any, Any], inputs: list[object]
) -> None:
    jsonschema.Draft202012Validator.check_schema(definition.input_schema)
    jsonschema.Draft202012Validator.check_schema(definition.output_schema)
    for value in inputs:
        jsonschema.validate(definition.signature.encode_input(value), definition.input_schema)


def test_an_input_with_a_default_may_be_null() -> None:
    jsonschema.validate(None, greet.input_schema)
    assert "$defs" in greet.input_schema
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(3, greet.input_schema)


def test_what_is_returned_satisfies_the_schema() -> None:
    jsonschema.validate(charge.signature.encode_output(Receipt(Decimal(1), b"\xff")), charge.output_schema)
    jsonschema.validate(order.signature.encode_output(Line(item="a")), order.output_schema)


def test_an_app_says_all_that_it_serves_in_one_order() -> None:
    manifest = App(workflows=[order], tasks=[ping, charge]).manifest()
    assert manifest == {"workflows": [order.manifest()], "tasks": [charge.manifest(), ping.manifest()]}
    assert charge.manifest() == {
        "kind": "charge",
        "contentHash": charge.content_hash,
        "inputSchema": charge.input_schema,
        "outputSchema": charge.output_schema,
        "queue": "payments",
        "description": "Charge a card, once.",
    }
    assert json.loads(json.dumps(manifest)) == manifest


_SOURCE = """
from flowstrand import TaskContext, task

@task(name="{name}")
async def work(_ctx: TaskContext, value: {type}) -> str:
    return {body}
"""


def content_hash(folder: Path, **changes: str) -> str:
    parts = {"name": "work", "type": "int", "body": "'a'", **changes}
    (folder / "sample_app.py").write_text(_SOURCE.format(**parts), encoding="utf-8")
    code = "from sample_app import work; print(work.content_hash)"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_content_hash_is_the_same_in_every_process_and_differs_with_code_types_and_kind(
    tmp_path: Path,
) -> None:
    first = content_hash(tmp_path)
    assert len(first) == 64
    assert content_hash(tmp_path) == first
    others = [
        content_hash(tmp_path, body="'b'"),
        content_hash(tmp_path, type="float"),
        content_hash(tmp_path, name="x"),
    ]
    assert len({first, *others}) == 4


def test_a_definition_without_source_has_a_hash_all_the_same() -> None:
    namespace: dict[str, Any] = {"__name__": "nowhere"}
    exec("def work(ctx, value): ...", namespace)
    assert len(task(namespace["work"]).content_hash) == 64


def test_a_worker_leaves_out_what_the_server_would_refuse() -> None:
    @task(name="wide")
    async def wide(_ctx: TaskContext, value: Wide) -> str:
        return value.field

    wide.code.__doc__ = "long " * 1_000
    (manifest,) = manifests_of(App(tasks=[wide]))
    assert isinstance(manifest, dict)
    assert "inputSchema" not in manifest
    assert manifest["outputSchema"] == {"type": "string"}
    assert manifest["contentHash"] == wide.content_hash
    assert len(str(manifest["description"])) == 1_024


def test_a_worker_of_very_many_tasks_sends_their_hashes_only() -> None:
    async def work(_ctx: TaskContext, value: Big) -> str:
        return value.field

    manifests = manifests_of(App(tasks=[task(name=f"t{n}")(work) for n in range(30)]))
    assert all(isinstance(m, dict) and set(m) == {"kind", "contentHash"} for m in manifests)
