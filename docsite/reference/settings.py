"""Every variable of the environment that something reads: the functions, the engine's numbers, the command line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path, PurePosixPath

from docsite.page import Page
from docsite.reference.commands import commands
from docsite.reference.docstrings import of_class
from docsite.reference.stack import variables
from docsite.reference.table import code, table
from flowstrand.aws.settings import Resources
from flowstrand.service.settings import Settings

_INTRODUCTION = """# Settings

Variables of the environment, by who reads them.

"""


def setting_pages(root: Path) -> Iterator[Page]:
    text = _INTRODUCTION + _outside() + _numbers() + _resources(root)
    yield Page(place=PurePosixPath("reference/settings.md"), text=text)


def _outside() -> str:
    """What the command line takes from the environment."""
    found: dict[str, tuple[str, list[str]]] = {}
    for name, command in commands():
        for parameter in command.params:
            if parameter.envvar:
                told = found.setdefault(str(parameter.envvar), (getattr(parameter, "help", "") or "", []))
                told[1].append(name.removeprefix("flowstrand "))
    rows = [(code(name), told[0], _some(told[1])) for name, told in sorted(found.items())]
    text = "## The command line, clients and workers\n\n"
    text += (
        "`Client()`, `SyncClient()` and `flowstrand worker` read the first three that name the server, too.\n\n"
    )
    return text + table(("variable", "", "read by"), rows)


def _some(names: list[str]) -> str:
    return ", ".join(code(name) for name in names) if len(names) <= 6 else f"{len(names)} commands"


def _numbers() -> str:
    told = of_class(Settings)
    rows = [
        (code(f"FLOWSTRAND_{field.name.upper()}"), f"{field.default:,}", told.fields.get(field.name, ""))
        for field in fields(Settings)
    ]
    text = (
        "## The engine's numbers\n\nWhole numbers of at least 0, set on the functions of a stack. "
        + told.text
        + "\n\n"
    )
    return text + table(("variable", "default", ""), rows)


def _resources(root: Path) -> str:
    told, set_by_template = of_class(Resources), variables(root)
    rows = [
        (
            code(variable := f"FLOWSTRAND_{each.name.upper()}"),
            told.fields.get(each.name, ""),
            set_by_template.pop(variable, "not by the template"),
        )
        for each in fields(Resources)
    ]
    rows += [(code(name), "", functions) for name, functions in sorted(set_by_template.items())]
    text = "## What the stack sets\n\nThe names of its resources, and what its parameters say. Nobody has to set these by hand.\n\n"
    return text + table(("variable", "", "set for"), rows)
