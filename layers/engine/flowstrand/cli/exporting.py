"""`flowstrand export`: histories and channels into a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from flowstrand.cli.listing import Status
from flowstrand.cli.on_place import Visit, on_place
from flowstrand.cli.options import pairs
from flowstrand.dataclass import dataclass
from flowstrand.errors import InvalidInput

if TYPE_CHECKING:
    from flowstrand.engine.ids import OrgId
    from flowstrand.histories.reading import Section
    from flowstrand.histories.writing import HistoryWriter
    from flowstrand.jsonvalue import JsonObject
    from flowstrand.log.port import LogKey
    from flowstrand.operations.place import Place
    from flowstrand.service.listing import Filter

_STDOUT = Path("-")
_PANEL = "Which of the org's executions"


@on_place
def export(
    visit: Visit,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="Of executions or standalone tasks.")
    ] = None,
    org: Annotated[str, typer.Option(envvar="FLOWSTRAND_ORG", help="Whose they are.")] = "dev",
    output: Annotated[Path, typer.Option("--output", "-o", help="The file; - for stdout.")] = _STDOUT,
    descendants: Annotated[
        bool,
        typer.Option("--descendants/--no-descendants", help="With children, and with what each has continued as."),
    ] = True,
    payload_files: Annotated[
        bool, typer.Option("--payload-files", help="Large payloads as files, in a folder beside the output.")
    ] = False,
    all: Annotated[
        bool, typer.Option("--all", help="All that there are, or those of them below.", rich_help_panel=_PANEL)
    ] = False,
    standalone_tasks: Annotated[
        bool,
        typer.Option(
            "--standalone-tasks/--no-standalone-tasks",
            help="With --all and no filter: standalone tasks, too. They are in no listing: every log of the place is looked at.",
            rich_help_panel=_PANEL,
        ),
    ] = True,
    channel: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A channel of the org; may be repeated.", rich_help_panel=_PANEL),
    ] = None,
    channels: Annotated[
        bool,
        typer.Option(
            "--channels/--no-channels",
            help="With --all and no filter: channels, too. Every log of the place is looked at for them, as well.",
            rich_help_panel=_PANEL,
        ),
    ] = True,
    status: Annotated[
        Status | None,
        typer.Option(case_sensitive=False, help="Only those that stand like this.", rich_help_panel=_PANEL),
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Only those of this workflow.", rich_help_panel=_PANEL)] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Only those whose metadata holds this.", rich_help_panel=_PANEL),
    ] = None,
    created_after: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only those begun since.", rich_help_panel=_PANEL)
    ] = None,
    created_before: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only those begun before.", rich_help_panel=_PANEL)
    ] = None,
) -> None:
    """Write histories and channels into a file that can be imported, replayed, priced, or kept.

    Examples:
        flowstrand export 01JDX5K7Q2ZB4M8N0P3R6T9V1W --data .flowstrand -o order.jsonl
        flowstrand export --all --status failed --stack flowstrand --org acme -o failed.jsonl
        flowstrand export --channel chat --channel news --data .flowstrand -o channels.jsonl
    """
    from flowstrand.engine.ids import OrgId
    from flowstrand.operations import channel_exporting, exporting
    from flowstrand.service.listing import Filter

    if bool(ids or channel) == all:
        raise typer.BadParameter("give ids or channels, or --all", param_hint="ID")
    if payload_files and output == _STDOUT:
        raise typer.BadParameter("takes an --output to put them beside", param_hint="--payload-files")
    wanted = _filter(status, kind, pairs(metadata, "--metadata"), created_after, created_before)
    owner, services = OrgId(org), visit.place.services
    roots = (
        _all(visit.place, owner, wanted, standalone_tasks=standalone_tasks) if all else _named(owner, ids or [])
    )
    histories = exporting.family(services, roots, with_descendants=descendants, may_be_gone=all)
    if all and channels and wanted == Filter():
        found = channel_exporting.export_all(services, visit.place.logs, owner)
    else:
        found = channel_exporting.export_named(services, owner, channel or [])
    sections: Iterator[Section] = chain(histories, found)
    _tell(visit, output, _write(output, sections, now_ms=services.clock.now_ms(), payload_files=payload_files))


@dataclass(slots=True)
class _Written:
    """How many of what a file has."""

    executions: int = 0
    events: int = 0
    open: int = 0
    channels: int = 0


def _named(org: OrgId, ids: Iterable[str]) -> Iterable[LogKey]:
    from flowstrand.engine.ids import ExecutionId
    from flowstrand.log.port import LogKey

    return (LogKey(org, ExecutionId(id)) for id in ids)


def _all(place: Place, org: OrgId, wanted: Filter, *, standalone_tasks: bool) -> Iterable[LogKey]:
    """What the org lists and, where nothing is left out of that, what is in no listing."""
    from flowstrand.operations import exporting
    from flowstrand.service.listing import Filter

    listed = exporting.listed(place.services, org, wanted)
    if not standalone_tasks or wanted != Filter():
        return listed
    return chain(listed, exporting.standalone_tasks(place.logs, org))


def _write(output: Path, sections: Iterable[Section], *, now_ms: int, payload_files: bool) -> _Written:
    from flowstrand.histories.writing import HistoryWriter

    folder = output.with_name(f"{output.name}.payloads") if payload_files else None
    done = _Written()
    with (
        _written(output) as file,
        HistoryWriter(file, now_ms=now_ms, version=version("flowstrand"), payload_folder=folder) as writer,
    ):
        for section in sections:
            _write_one(writer, section, done)
    return done


def _write_one(writer: HistoryWriter, section: Section, done: _Written) -> None:
    from flowstrand.histories.channel import ChannelHistory

    if isinstance(section, ChannelHistory):
        writer.write_channel(section)
        done.channels += 1
        return
    writer.write(section)
    done.executions += 1
    done.events += len(section.events)
    done.open += not section.is_closed


def _filter(
    status: Status | None, kind: str | None, metadata: dict[str, str], after: str | None, before: str | None
) -> Filter:
    from flowstrand.engine.events import WorkflowStatus
    from flowstrand.service.listing import Filter

    return Filter(
        status=None if status is None else WorkflowStatus(status.value),
        kind=kind,
        metadata=metadata,
        created_from_ms=_moment(after, "--created-after"),
        created_before_ms=_moment(before, "--created-before"),
    )


def _moment(text: str | None, option: str) -> int | None:
    from flowstrand.engine.schema import epoch_ms

    try:
        return None if text is None else epoch_ms(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


@contextmanager
def _written(output: Path) -> Iterator[IO[str]]:
    """The file, which takes its name once it is whole; or stdout."""
    if output == _STDOUT:
        yield sys.stdout
        return
    draft = output.with_name(f"{output.name}.part")
    try:
        with draft.open("w", encoding="ascii", newline="\n") as file:
            yield file
        draft.replace(output)
    except OSError as error:
        raise InvalidInput(f"{output} cannot be written: {error.strerror}", code="INVALID_OUTPUT") from error
    finally:
        draft.unlink(missing_ok=True)


def _tell(visit: Visit, output: Path, done: _Written) -> None:
    counted = f"{done.executions} executions, {done.events} events"
    if done.channels:
        counted += f", {done.channels} channels"
    if output == _STDOUT:
        typer.echo(counted, err=True)
        return
    body: JsonObject = {"file": str(output), **asdict(done)}
    text = f"{output}: {counted}"
    visit.out.said(body, f"{text}, {done.open} open" if done.open else text)
