"""Whatever was written by an earlier version is read for ever: a recorded file for each."""

from __future__ import annotations

import json

import pytest

from flowstrand.engine.events import EventType
from flowstrand.engine.events.codec import SCHEMA_VERSION, decode, public_data
from flowstrand.histories.channel import ChannelHistory
from flowstrand.histories.lines import VERSION
from flowstrand.histories.reading import read_file, sections_of_file
from flowstrand.operations.channel_importing import import_channel
from flowstrand.operations.importing import Checked, Outcome, check, import_one
from flowstrand.service.channels import standing
from flowstrand.service.channels.reading import page
from tests.unit.histories.record import VERSIONS
from tests.unit.service.service_world import ServiceWorld


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_every_version_of_a_stored_event_reads_as_it_did(version: int) -> None:
    forms = json.loads((VERSIONS / f"events-{version}.json").read_text())
    assert [form["stored"]["v"] for form in forms] == [version] * len(forms)
    for form in forms:
        # What later versions have added is theirs; what was said then is still said.
        assert public_data(decode(form["stored"])) | form["public"] == public_data(decode(form["stored"]))


def test_the_newest_file_has_every_type_of_event() -> None:
    forms = json.loads((VERSIONS / f"events-{SCHEMA_VERSION}.json").read_text())
    assert {form["stored"]["type"] for form in forms} == {event_type.value for event_type in EventType}


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_every_version_of_an_export_can_be_imported(version: int) -> None:
    [history] = read_file(VERSIONS / f"export-{version}.jsonl")
    history.require_sound()
    assert [event.type.value for event in history.with_values()][-1] == "WORKFLOW_COMPLETED"
    world = ServiceWorld()
    assert import_one(world.services, history).outcome is Outcome.IMPORTED


@pytest.mark.parametrize("version", range(2, VERSION + 1))
def test_every_version_of_a_channel_can_be_imported(version: int) -> None:
    sections = list(sections_of_file(VERSIONS / f"export-{version}.jsonl"))
    assert check(sections, leave_out_open=False) == Checked(executions=1, channels=1)
    world = ServiceWorld()
    channel = sections[-1]
    assert isinstance(channel, ChannelHistory)
    assert import_channel(world.services, channel).outcome is Outcome.IMPORTED
    standing_here = standing.require(world.services, channel.making.org, "chat")
    assert page(world.services, standing_here.channel, after=0).bodies == (b'"hello"', *channel.payloads.values())
    assert standing_here.state.is_closed
