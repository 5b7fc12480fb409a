"""Where an operator acts: named by a stack, by a folder, or by a function's variables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flowstrand.errors import ConfigurationError
from flowstrand.histories.reading import read_file
from flowstrand.operations.exporting import export_one
from flowstrand.operations.importing import Outcome, import_one
from flowstrand.operations.place import Place, open_place
from flowstrand.operations.stack import Clients, StackNames, found_in_cloudformation
from tests.unit.histories.record import VERSIONS
from tests.unit.operations.deployed import CloudFormation, Functions

[HISTORY] = read_file(VERSIONS / "export-1.jsonl")


def test_a_stack_is_found_by_its_name(deployed: tuple[Place, Functions]) -> None:
    place, _ = deployed
    assert place.stack is not None
    assert place.stack.names.control_queue_url is not None
    assert place.stack.names.projector_dead_letters_url is not None


def test_a_stack_that_is_not_there_or_not_ours_is_said_to_be_so(clients: Clients) -> None:
    others = CloudFormation()
    queue = {"LogicalResourceId": "Queue", "PhysicalResourceId": "q", "ResourceType": "AWS::SQS::Queue"}
    others.stacks["another"] = [queue, queue]
    among_others = replace(clients, cloudformation=others)
    with pytest.raises(ConfigurationError, match="cannot be looked at"):
        found_in_cloudformation(among_others, "nobody")
    with pytest.raises(ConfigurationError, match="LogTable, DirectoryTable, PayloadBucket"):
        found_in_cloudformation(among_others, "another")


def test_the_variables_of_a_function_name_a_place(deployed: tuple[Place, Functions]) -> None:
    place, functions = deployed
    environment = functions.environments["flowstrand-tasks"]
    named = open_place(stack=None, data=None, environment=environment)
    assert named.stack is not None
    assert place.stack is not None
    assert named.stack.names.log_table == place.stack.names.log_table
    assert import_one(named.services, HISTORY).outcome is Outcome.IMPORTED
    assert export_one(place.services, HISTORY.key).sha256 == HISTORY.sha256


def test_some_of_the_stores_are_not_enough() -> None:
    with pytest.raises(ConfigurationError, match="FLOWSTRAND_DIRECTORY_TABLE, FLOWSTRAND_PAYLOAD_BUCKET"):
        StackNames.of_environment({"FLOWSTRAND_LOG_TABLE": "log"})


@pytest.mark.parametrize("both", [True, False])
def test_there_must_be_one_place(tmp_path: Path, *, both: bool) -> None:
    with pytest.raises(ConfigurationError):
        open_place(stack="a" if both else None, data=tmp_path if both else None, environment={})
