"""`template.yaml` as data: CloudFormation's short tags read as the functions that they stand for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


class _Loader(yaml.SafeLoader):
    """YAML with `!Ref`, `!GetAtt` and the rest."""


def _function(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in {"Ref", "Condition"} else f"Fn::{tag}"
    match node:
        case yaml.ScalarNode():
            value: Any = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
        case _:
            raise TypeError(f"no such YAML node: {node!r}")
    return {name: value}


_Loader.add_multi_constructor("!", _function)


@cache
def template() -> dict[str, Any]:
    """The whole file. One object: look, and do not change."""
    # The loader is a safe one, with constructors for plain data added.
    document: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), Loader=_Loader)
    return document


def resources(type: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource of a type, by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template()["Resources"].items()
        if resource["Type"] == type
    }


def functions() -> dict[str, dict[str, Any]]:
    """The properties of every function, by the name of its folder."""
    return {
        properties["CodeUri"].removeprefix("functions/"): properties
        for properties in resources("AWS::Serverless::Function").values()
    }


def role_of(function: str) -> str:
    """The logical id of the role that a function has."""
    role: str = functions()[function]["Role"]["Fn::GetAtt"]
    return role.removesuffix(".Arn")


def statements(function: str) -> Iterator[Mapping[str, Any]]:
    """Every statement of a function's role, with `Action` and `Resource` as lists; those too that hang on a condition."""
    yield from role_statements(resources("AWS::IAM::Role")[role_of(function)])


def role_statements(role: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The same, of the properties of a role."""
    for entry in role.get("Policies", []):
        policy = entry["Fn::If"][1] if "Fn::If" in entry else entry
        for statement in policy["PolicyDocument"]["Statement"]:
            yield {**statement, "Action": _listed(statement["Action"]), "Resource": _listed(statement["Resource"])}


def allowed(function: str, *, on: str) -> set[str]:
    """The actions a function may do on resources whose ARN refers to the logical id `on`."""
    return {
        action
        for statement in statements(function)
        if any(_names(resource, on) for resource in statement["Resource"])
        for action in statement["Action"]
    }


def routes() -> dict[tuple[str, str], str]:
    """The function behind each (method, path)."""
    return {
        (event["Properties"]["Method"].upper(), event["Properties"]["Path"]): name
        for name, properties in functions().items()
        for event in properties.get("Events", {}).values()
        if event["Type"] == "Api"
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _names(resource: Any, logical_id: str) -> bool:
    match resource:
        case {"Ref": name}:
            return bool(name == logical_id)
        case {"Fn::GetAtt": attribute}:
            return bool(attribute.split(".")[0] == logical_id)
        case {"Fn::Sub": text}:
            return f"${{{logical_id}}}" in text or f"${{{logical_id}." in text
        case _:
            return False
