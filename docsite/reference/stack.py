"""The stack's parameters and outputs, from template.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

import yaml

from docsite.page import Page
from docsite.reference.table import code, table

Template: TypeAlias = dict[str, Any]
"""A template's tables; SAM says that it is well formed."""

_INTRODUCTION = """# The stack

What `sam deploy` asks for, and what it tells afterwards: the parameters and outputs of `template.yaml`.

"""
_BOUNDS = {
    "MinValue": "at least {}",
    "MaxValue": "at most {}",
    "MinLength": "at least {} characters",
    "MaxLength": "at most {} characters",
    "AllowedPattern": "matches `{}`",
}


class _Loader(yaml.CSafeLoader):
    """Reads CloudFormation's own tags as the words that they stand for."""


def _intrinsic(loader: yaml.CSafeLoader, suffix: str, node: yaml.Node) -> object:
    match node:
        case yaml.ScalarNode():
            return f"!{suffix} {node.value}"
        case yaml.SequenceNode():
            return {f"!{suffix}": loader.construct_sequence(node, deep=True)}
        case yaml.MappingNode():
            return {f"!{suffix}": loader.construct_mapping(node, deep=True)}
        case _:
            raise TypeError(f"no such node: {node}")


_Loader.add_multi_constructor("!", _intrinsic)


@lru_cache(maxsize=1)
def template(root: Path) -> Template:
    loaded: Template = yaml.load((root / "template.yaml").read_text(encoding="utf-8"), Loader=_Loader)
    return loaded


def stack_pages(root: Path) -> Iterator[Page]:
    stack = template(root)
    parameters = [
        (code(name), code(str(each["Default"])) if each.get("Default", "") != "" else "", _remarks(each))
        for name, each in stack["Parameters"].items()
    ]
    outputs = [(code(name), each.get("Description", "")) for name, each in stack["Outputs"].items()]
    text = _INTRODUCTION
    text += "## Parameters\n\n" + table(("parameter", "default", ""), parameters)
    text += "## Outputs\n\n" + table(("output", ""), outputs)
    yield Page(place=PurePosixPath("reference/stack.md"), text=text)


def variables(root: Path) -> dict[str, str]:
    """Each variable of the environment that the template sets, and for which functions: `all`, or their names."""
    stack = template(root)
    found = dict.fromkeys(_environment(stack["Globals"]["Function"]), "all functions")
    for name, resource in stack["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            for variable in _environment(resource["Properties"]):
                others = found.get(variable)
                found[variable] = f"{others}, {code(name)}" if others and others != "all functions" else code(name)
    return {name: functions for name, functions in found.items() if name.startswith("FLOWSTRAND_")}


def _environment(function: Template) -> list[str]:
    return list(function.get("Environment", {}).get("Variables", {}))


def _remarks(parameter: Template) -> str:
    said = [parameter.get("Description", "").rstrip(".")]
    if "AllowedValues" in parameter:
        said.append("one of " + ", ".join(code(str(value)) for value in parameter["AllowedValues"]))
    said += [words.format(parameter[key]) for key, words in _BOUNDS.items() if key in parameter]
    return "; ".join(part for part in said if part)
