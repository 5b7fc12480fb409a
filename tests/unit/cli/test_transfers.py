"""`flowstrand export` and `import`, between the data folders of two local servers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flowstrand.cli.exits import Exit
from flowstrand.cli.program import program
from flowstrand.errors import InvalidInput
from flowstrand.histories.reading import read_file
from flowstrand.local.stores import sqlite_stores
from flowstrand.operations.exporting import export_one
from flowstrand.operations.importing import import_one
from flowstrand.operations.place import local_place
from flowstrand.testing.recorded import events_of
from flowstrand.testing.replay import replay_history
from tests.unit.histories.record import VERSIONS

FIXTURE = VERSIONS / "export-1.jsonl"
WITH_CHANNEL = VERSIONS / "export-2.jsonl"
[HISTORY] = read_file(FIXTURE)
ID, ORG = HISTORY.key.execution_id, HISTORY.key.org
APP = """
from flowstrand import WorkflowContext, workflow

@workflow(name="order")
async def order(ctx: WorkflowContext, input: str) -> str:
    first = await ctx.schedule("work", input)
    await ctx.schedule("work", first)
    return first
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A data folder with one execution that has ended."""
    folder = empty(tmp_path / "source")
    place = local_place(folder)
    import_one(place.services, HISTORY)
    place.close()
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return empty(tmp_path / "target")


def empty(folder: Path) -> Path:
    folder.mkdir()
    sqlite_stores(folder).close()
    return folder


def run(*words: object, exit: Exit = Exit.OK) -> Result:
    result = CliRunner().invoke(program, [str(word) for word in words])
    assert result.exit_code == exit, result.output
    return result


def lines(result: Result) -> Sequence[str]:
    return [str(line) for line in result.stdout.splitlines()]


def test_an_export_is_what_was_imported(source: Path, tmp_path: Path) -> None:
    file = tmp_path / "order.jsonl"
    result = run("export", ID, "--org", ORG, "--data", source, "-o", file)
    assert lines(result) == [f"{file}: 1 executions, {len(HISTORY.events)} events"]
    assert file.read_text().splitlines()[1:] == FIXTURE.read_text().splitlines()[1:]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["order.jsonl", "source"]


def test_without_an_output_the_file_is_stdout(source: Path) -> None:
    result = run("export", ID, "--org", ORG, "--data", source)
    assert lines(result)[1:] == FIXTURE.read_text().splitlines()[1:]
    assert result.stderr == f"1 executions, {len(HISTORY.events)} events\n"


@pytest.mark.parametrize("found", [True, False])
def test_executions_are_chosen_by_what_the_listing_shows(source: Path, tmp_path: Path, *, found: bool) -> None:
    status = "completed" if found else "failed"
    options = ("--all", "--status", status, "--kind", "order", "--created-after", "2020-01-01T00:00:00Z")
    result = run("export", *options, "--org", ORG, "--data", source, "-o", tmp_path / "x", "--json")
    assert json.loads(result.stdout)["executions"] == found


def test_payloads_may_be_files(source: Path, target: Path, tmp_path: Path) -> None:
    file = tmp_path / "order.jsonl"
    run("export", ID, "--org", ORG, "--data", source, "-o", file, "--payload-files")
    assert [path.name for path in (tmp_path / "order.jsonl.payloads").iterdir()] == list(HISTORY.payloads)
    run("import", file, "--data", target)


def test_an_import_says_what_has_become_of_each(target: Path) -> None:
    row = {
        "workflowExecutionId": ID,
        "org": ORG,
        "kind": "order",
        "status": "COMPLETED",
        "events": len(HISTORY.events),
    }
    for outcome in ("IMPORTED", "UNCHANGED"):
        document = json.loads(run("import", FIXTURE, "--data", target, "--json").stdout)
        assert document == {"executions": [{**row, "outcome": outcome}], "channels": []}
    assert [ID in line and "UNCHANGED" in line for line in lines(run("import", FIXTURE, "--data", target))] == [
        False,
        True,
    ]


def test_a_check_imports_nothing(target: Path) -> None:
    assert lines(run("import", FIXTURE, "--data", target, "--check")) == [f"{FIXTURE}: 1 executions, all sound"]
    run("export", ID, "--org", ORG, "--data", target, exit=Exit.NOT_FOUND)


def test_an_import_may_be_for_another_org(target: Path) -> None:
    run("import", FIXTURE, "--data", target, "--org", "other")
    place = local_place(target)
    key = type(HISTORY.key).parse(f"other#{ID}")
    assert len(export_one(place.services, key).events) == len(HISTORY.events)
    place.close()


def test_a_damaged_file_is_refused(target: Path, tmp_path: Path) -> None:
    file = tmp_path / "damaged.jsonl"
    file.write_text(FIXTURE.read_text().replace("COMPLETED", "FAILED", 1))
    result = run("import", file, "--data", target, exit=Exit.REFUSED)
    assert result.stderr.startswith("error: not an export that can be used: ")
    assert result.stderr.endswith("(INVALID_EXPORT)\n")


def test_a_folder_without_a_database_is_no_place(tmp_path: Path) -> None:
    result = run("export", ID, "--data", tmp_path, exit=Exit.USAGE)
    assert "has no flowstrand.db" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_there_must_be_a_place_and_only_one(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FLOWSTRAND_LOG_TABLE", "FLOWSTRAND_DIRECTORY_TABLE", "FLOWSTRAND_PAYLOAD_BUCKET"):
        monkeypatch.delenv(name, raising=False)
    assert "say where" in run("export", ID, exit=Exit.USAGE).stderr
    both = run("export", ID, "--data", source, "--stack", "flowstrand", exit=Exit.USAGE)
    assert "give one" in both.stderr


@pytest.mark.parametrize(
    "words",
    [(), (ID, "--all"), (ID, "--payload-files"), ("--all", "--created-after", "yesterday")],
    ids=["nothing", "both", "nowhere", "no-time"],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_read(source: Path, words: tuple[str, ...]) -> None:
    run("export", *words, "--data", source, exit=Exit.USAGE)


def test_channels_go_with_everything_or_alone(target: Path, tmp_path: Path) -> None:
    run("import", WITH_CHANNEL, "--data", target)
    everything, alone, without = (tmp_path / name for name in ("everything", "alone", "without"))
    run("export", "--all", "--org", ORG, "--data", target, "-o", everything)
    assert everything.read_text().splitlines()[1:] == WITH_CHANNEL.read_text().splitlines()[1:]
    said = json.loads(
        run("export", "--channel", "chat", "--org", ORG, "--data", target, "-o", alone, "--json").stdout
    )
    assert said == {"file": str(alone), "executions": 0, "events": 0, "open": 0, "channels": 1}
    run("export", "--all", "--no-channels", "--org", ORG, "--data", target, "-o", without)
    run("export", "--channel", "chit", "--org", ORG, "--data", target, exit=Exit.NOT_FOUND)
    checked = [lines(run("import", file, "--data", target, "--check"))[0] for file in (everything, alone, without)]
    assert checked == [
        f"{everything}: 1 executions, 1 channels, all sound",
        f"{alone}: 0 executions, 1 channels, all sound",
        f"{without}: 1 executions, all sound",
    ]


def test_an_import_says_what_has_become_of_each_channel(target: Path) -> None:
    row = {"name": "chat", "org": ORG, "appends": 2}
    for outcome in ("IMPORTED", "UNCHANGED"):
        document = json.loads(run("import", WITH_CHANNEL, "--data", target, "--json").stdout)
        assert document["channels"] == [{**row, "outcome": outcome}]
    assert [line.split() for line in lines(run("import", WITH_CHANNEL, "--data", target))][-2:] == [
        ["CHANNEL", "ORG", "APPENDS", "OUTCOME"],
        ["chat", ORG, "2", "UNCHANGED"],
    ]


def test_an_export_replays(tmp_path: Path) -> None:
    (tmp_path / "shop_of_transfers.py").write_text(APP)
    [replayed] = json.loads(run("replay", FIXTURE, "--app", tmp_path / "shop_of_transfers.py", "--json").stdout)[
        "replays"
    ]
    assert (replayed["agrees"], replayed["kind"], replayed["history"]) == (True, "order", f"{FIXTURE}: {ID}")


def test_an_export_of_other_code_does_not(tmp_path: Path) -> None:
    (tmp_path / "shop_of_transfers.py").write_text(APP.replace('    await ctx.schedule("work", first)\n', ""))
    result = run("replay", FIXTURE, "--app", tmp_path / "shop_of_transfers.py", exit=Exit.FAILED)
    assert "DETERMINISM_VIOLATION" in result.stderr


def test_the_test_kit_replays_an_export_as_it_does_any_recorded_history(tmp_path: Path) -> None:
    (tmp_path / "shop_of_transfers.py").write_text(APP)
    replayed = replay_history(FIXTURE, str(tmp_path / "shop_of_transfers.py"))
    assert (replayed.kind, replayed.events) == ("order", len(HISTORY.events))
    assert events_of(FIXTURE) == HISTORY.with_values()


def test_a_damaged_export_is_no_recorded_history(tmp_path: Path) -> None:
    file = tmp_path / "damaged.jsonl"
    file.write_text("".join(FIXTURE.read_text().splitlines(keepends=True)[:-2]))
    with pytest.raises(InvalidInput) as refused:
        events_of(file)
    assert refused.value.code == "INVALID_HISTORY"
