"""`flowstrand completion`: what a shell needs in order to complete words of this program."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from typer.completion import shell_complete

PROGRAM = "flowstrand"
_VARIABLE = "_FLOWSTRAND_COMPLETE"


class Shell(StrEnum):
    """Whose script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def show(ctx: typer.Context, shell: Annotated[Shell, typer.Argument(help="Whose script.")]) -> None:
    """Print the script that makes a shell complete commands, options and what the server knows.

    `flowstrand --install-completion` puts it where the shell that it is called from finds it.

    Examples:
        flowstrand completion show bash >> ~/.bashrc
        flowstrand completion show zsh > ~/.zfunc/_flowstrand
        flowstrand completion show fish > ~/.config/fish/completions/flowstrand.fish
    """
    raise typer.Exit(shell_complete(ctx.find_root().command, {}, PROGRAM, _VARIABLE, f"source_{shell}"))
