"""`flowstrand lint`: what in workflow code would not replay."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flowstrand.cli.exits import Exit
from flowstrand.cli.failures import tell
from flowstrand.errors import ConfigurationError
from flowstrand.lint.finding import Finding
from flowstrand.lint.formats import Format, render

Ids = list[str] | None


def lint(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATHS]...", help="Files and directories.")
    ] = None,
    format: Annotated[Format, typer.Option(help="How findings are told.")] = Format.TEXT,
    select: Annotated[
        Ids, typer.Option(metavar="ID", help="Only these rules: FS101, FS1, ALL; may be repeated.")
    ] = None,
    ignore: Annotated[Ids, typer.Option(metavar="ID", help="All but these rules; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Find code in workflows that would not replay: clocks, randomness, I/O, foreign awaits.

    Reads the code and runs none of it. Exits 0 where nothing is found, 1 with findings, 2 for wrong usage.

    Examples:
        flowstrand lint shop
        flowstrand lint shop --ignore FS103 --json
    """
    if as_json:
        format = Format.JSON
    try:
        findings = _check(paths or [Path()], _ids(select), _ids(ignore))
    except ConfigurationError as error:
        tell(error.message, error.code, as_json=as_json)
        raise typer.Exit(Exit.USAGE) from error
    if findings or format is Format.JSON:
        typer.echo(render(findings, format))
    if format is Format.TEXT:
        typer.echo(_summary(findings), err=True)
    if findings:
        raise typer.Exit(Exit.FAILED)


def _check(paths: list[Path], select: list[str], ignore: list[str]) -> list[Finding]:
    from flowstrand.lint.checking import check_file
    from flowstrand.lint.configuration import configuration_near
    from flowstrand.lint.selection import selected
    from flowstrand.lint.source_files import source_files

    configuration = configuration_near(paths[0] if paths[0].is_dir() else paths[0].parent)
    rules = selected(select or configuration.select, [*configuration.ignore, *ignore])
    files = source_files(paths, exclude=configuration.exclude, root=configuration.root)
    return [finding for file in files for finding in check_file(file, rules)]


def _ids(options: Ids) -> list[str]:
    """`--select FS101,FS2 --select FS3`."""
    return [id.strip() for option in options or [] for id in option.split(",")]


def _summary(findings: list[Finding]) -> str:
    if not findings:
        return "nothing found"
    files = len({finding.path for finding in findings})
    return f"{len(findings)} {'fault' if len(findings) == 1 else 'faults'} in {files} {'file' if files == 1 else 'files'}"
