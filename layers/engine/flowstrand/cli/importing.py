"""`flowstrand import`: histories and channels from a file, as the logs that they were."""

from __future__ import annotations

from dataclasses import asdict, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowstrand.cli.cells import Column
from flowstrand.cli.on_place import Visit, on_place
from flowstrand.cli.output import Output
from flowstrand.dataclass import dataclass

if TYPE_CHECKING:
    from flowstrand.engine.ids import OrgId
    from flowstrand.histories.reading import Section
    from flowstrand.jsonvalue import JsonObject
    from flowstrand.operations.channel_importing import ImportedChannel
    from flowstrand.operations.importing import Imported
    from flowstrand.service.container import Services

_COLUMNS = (
    Column("workflowExecutionId", "EXECUTION", is_whole=True),
    Column("org", "ORG"),
    Column("kind", "KIND"),
    Column("status", "STATUS", is_whole=True),
    Column("events", "EVENTS", is_whole=True),
    Column("outcome", "OUTCOME", is_whole=True),
)
_CHANNEL_COLUMNS = (
    Column("name", "CHANNEL", is_whole=True),
    Column("org", "ORG"),
    Column("appends", "APPENDS", is_whole=True),
    Column("outcome", "OUTCOME", is_whole=True),
)


@on_place
def imported(
    visit: Visit,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `flowstrand export` has written.")],
    org: Annotated[str | None, typer.Option(help="Whose they are to be.", show_default="whose they were")] = None,
    leave_out_open: Annotated[
        bool,
        typer.Option("--leave-out-open", help="Without the executions that were open when they were exported."),
    ] = False,
    expires: Annotated[
        bool,
        typer.Option(
            "--expires/--for-ever",
            help="Whether retention applies to them, counted from their end, or they are kept.",
        ),
    ] = False,
    check_only: Annotated[
        bool, typer.Option("--check", help="Only see whether the file is sound; nothing is imported.")
    ] = False,
) -> None:
    """Import executions that have ended, and channels; importing a file again changes nothing, and repairs what was broken off.

    Examples:
        flowstrand import order.jsonl --data .flowstrand
        flowstrand import failed.jsonl --stack flowstrand-test --org acme --leave-out-open
    """
    from flowstrand.engine.ids import OrgId
    from flowstrand.histories.reading import sections_of_file
    from flowstrand.operations import importing

    checked = importing.check(sections_of_file(file), leave_out_open=leave_out_open)
    if check_only:
        body: JsonObject = {"file": str(file), **asdict(checked)}
        channels = f", {checked.channels} channels" if checked.channels else ""
        visit.out.said(body, f"{file}: {checked.executions} executions{channels}, all sound")
        return
    owner = None if org is None else OrgId(_name(org))
    done = _Done()
    try:
        for section in sections_of_file(file):
            _take(visit.place.services, done, section, org=owner, expires=expires)
    finally:  # where one is refused, what became of those before it
        _tell(visit.out, done)


@dataclass(slots=True)
class _Done:
    """What has become of the sections of a file."""

    executions: list[Imported] = field(default_factory=list)
    channels: list[ImportedChannel] = field(default_factory=list)


def _take(services: Services, done: _Done, section: Section, *, org: OrgId | None, expires: bool) -> None:
    from flowstrand.histories.channel import ChannelHistory
    from flowstrand.operations import channel_importing, importing

    if isinstance(section, ChannelHistory):
        done.channels.append(channel_importing.import_channel(services, section, org=org))
    else:
        done.executions.append(importing.import_one(services, section, org=org, expires=expires))


def _tell(out: Output, done: _Done) -> None:
    executions, channels = [_body(each) for each in done.executions], [_channel(each) for each in done.channels]
    if out.as_json:
        out.value({"executions": [*executions], "channels": [*channels]})
        return
    if executions or not channels:
        out.many("executions", executions, _COLUMNS)
    if channels:
        out.many("channels", channels, _CHANNEL_COLUMNS)


def _name(org: str) -> str:
    from flowstrand.engine.names import is_name

    if not is_name(org):
        raise typer.BadParameter(f"{org!r} cannot be the name of an org", param_hint="--org")
    return org


def _body(each: Imported) -> JsonObject:
    return {
        "workflowExecutionId": each.key.execution_id,
        "org": each.key.org,
        "kind": each.kind,
        "status": each.status,
        "events": each.events,
        "outcome": each.outcome.value,
    }


def _channel(each: ImportedChannel) -> JsonObject:
    return {
        "name": each.name,
        "org": each.key.org,
        "appends": each.appends,
        "outcome": each.outcome.value,
    }
