"""Every command of `flowstrand`, from the program itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from docsite.page import Page
from docsite.reference.table import code, table
from flowstrand.cli.program import program

_INTRODUCTION = """# Commands

Every command and its options, as `--help` has them. How they wait, what they print and how they end is told in
[The command line](../command-line.md).

"""


def command_pages() -> Iterator[Page]:
    text = _INTRODUCTION + "".join(_command(name, command) for name, command in commands())
    yield Page(place=PurePosixPath("reference/commands.md"), text=text)


def commands() -> Iterator[tuple[str, TyperCommand]]:
    """Each command, by the words that call it."""
    yield from _below("flowstrand", typer.main.get_command(program))


def _below(name: str, command: object) -> Iterator[tuple[str, TyperCommand]]:
    match command:
        case TyperGroup():
            for word, each in sorted(command.commands.items()):
                yield from _below(f"{name} {word}", each)
        case TyperCommand() if not command.hidden:
            yield name, command
        case _:
            pass


def _command(name: str, command: TyperCommand) -> str:
    arguments = [each for each in command.params if isinstance(each, TyperArgument)]
    options = [each for each in command.params if isinstance(each, TyperOption) and not each.hidden]
    usage = " ".join([name, *(_usage(each) for each in arguments), "[OPTIONS]" * bool(options)])
    text = f"## {code(name)}\n\n{command.help or ''}\n\n```text\n{usage}\n```\n\n"
    text += table(("argument", ""), [(code(_word(each)), each.help or "") for each in arguments])
    return text + table(("option", ""), [(_option(each), _remarks(each)) for each in options])


def _usage(argument: TyperArgument) -> str:
    word = _word(argument) + ("…" if argument.nargs != 1 else "")
    return word if argument.required else f"[{word}]"


def _word(argument: TyperArgument) -> str:
    return argument.metavar or (argument.name or "").upper()


def _option(option: TyperOption) -> str:
    names = ", ".join(code(name) for name in [*option.opts, *option.secondary_opts])
    return f"{names} {code(option.metavar)}" if option.metavar and not option.is_flag else names


def _remarks(option: TyperOption) -> str:
    said = option.help or ""
    if option.envvar:
        said += f" Otherwise {code(str(option.envvar))}."
    return said + (" Required." if option.required else "")
