"""Docstrings, taken apart: what is said of a class, and of each of its fields."""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from griffe import Docstring, DocstringSectionAttributes, DocstringSectionText


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the docstrings of a class say: in general, and of fields by their names."""

    text: str
    fields: dict[str, str] = field(default_factory=dict)


def of_class(cls: type) -> Told:
    """From the class's own docstring, the `Attributes:` in it, and the strings that follow its fields.

    Classes that it inherits from are heard for what it does not say itself.
    """
    text = ""
    fields: dict[str, str] = {}
    for each in reversed(cls.__mro__[:-1]):
        own = _parsed(each.__dict__.get("__doc__") or "")
        fields |= own.fields | _below_fields(each)
        text = own.text or text
    return Told(text=text, fields=fields)


def _parsed(docstring: str) -> Told:
    texts: list[str] = []
    fields: dict[str, str] = {}
    for section in Docstring(inspect.cleandoc(docstring)).parse("google", warnings=False):
        match section:
            case DocstringSectionText():
                texts.append(section.value)
            case DocstringSectionAttributes():
                for attribute in section.value:
                    fields |= dict.fromkeys(attribute.name.split(", "), attribute.description)
            case _:
                pass
    return Told(text="\n\n".join(texts), fields=fields)


def _below_fields(cls: type) -> dict[str, str]:
    definition = _definitions(cls.__module__).get(cls.__name__)
    found = {}
    for first, second in pairwise(definition.body if definition else []):
        match first, second:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = text
            case _:
                pass
    return found


@lru_cache
def _definitions(module: str) -> dict[str, ast.ClassDef]:
    """The classes at the top of a module of this project; of others, none."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if module.partition(".")[0] != "flowstrand" or file is None:
        return {}
    body = ast.parse(Path(file).read_bytes()).body
    return {node.name: node for node in body if isinstance(node, ast.ClassDef)}
