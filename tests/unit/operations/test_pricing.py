"""What an execution has used, counted in its log, and what that costs; the page says what the program says."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flowstrand.cli.exits import Exit
from flowstrand.cli.program import program
from flowstrand.engine.replay.driver import Driver
from flowstrand.errors import ConfigurationError
from flowstrand.jsonvalue import JsonValue
from flowstrand.operations.pricing.bill import bill, total_usd
from flowstrand.operations.pricing.prices import overridden, standard
from flowstrand.operations.pricing.usage import Usage, usage_of
from tests.unit.histories.record import VERSIONS
from tests.unit.operations.exported import completed, exported
from tests.unit.service.service_world import ServiceWorld

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "costs.md").read_text(encoding="utf-8")
FIXTURE = VERSIONS / "export-1.jsonl"
HOUR_MS = 3_600_000


async def sleeper(driver: Driver, input: JsonValue) -> JsonValue:
    assert isinstance(input, int)
    await driver.start_timer(input)
    return None


def test_an_order_of_two_tasks_is_counted_in_its_log() -> None:
    world = ServiceWorld()
    [history] = exported(world, completed(world))
    used = usage_of([history])
    assert (used.executions, used.events, used.commits) == (1, len(history.events), len(history.commits))
    # A start, and of each task a poll and a report.
    assert (used.requests, used.attempts) == (5, 2)
    assert used.log_write_units == used.commits
    assert used.messages == used.resumptions + used.attempts
    assert used.payloads == len(history.payloads)


def test_a_timer_beyond_the_reach_of_the_queue_is_scheduled() -> None:
    world = ServiceWorld()
    execution = world.begin(sleeper, world.clock.now_ms() + HOUR_MS)
    [history] = exported(world, execution)
    assert usage_of([history]).scheduled == 1


def test_a_large_commit_is_as_many_units_as_it_has_kilobytes() -> None:
    world = ServiceWorld()
    small, large = world.start(sleeper, 1), world.start(sleeper, list(range(1_500)))
    [few], [many] = exported(world, small), exported(world, large)
    assert usage_of([few]).log_write_units == 1
    assert usage_of([many]).log_write_units == -(-(len(many.commits[0].events) + 130) // 1_024) > 1


def test_usage_adds_up() -> None:
    world = ServiceWorld()
    first, second = exported(world, completed(world), completed(world))
    assert usage_of([first, second]) == usage_of([first]) + usage_of([second])


def test_every_price_is_used_and_every_assumption_changes_the_bill() -> None:
    used = Usage(**dict.fromkeys(Usage.__slots__, 1_000))
    prices = standard()
    before = total_usd(bill(used, prices))
    assert {item.price for item in bill(used, prices)} == set(prices.prices)
    for name, value in prices.assumptions.items():
        assert total_usd(bill(used, prices.assuming({name: value + 1}))) > before, name


def test_nothing_used_costs_nothing() -> None:
    assert bill(Usage(), standard().assuming({"reader_requests": 0})) == []


def test_prices_can_be_overridden_one_by_one(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({"region": "eu-central-1", "prices": {"dynamodb_write": {"usd": 1.25}}}))
    other, prices = overridden(file), standard()
    assert (other.region, other.date) == ("eu-central-1", prices.date)
    assert other.prices["dynamodb_write"].of(1_000_000) == 1.25
    assert other.prices["dynamodb_read"] == prices.prices["dynamodb_read"]


@pytest.mark.parametrize(
    "text", ["no JSON", "[]", '{"prices": {"gold": {"usd": 1}}}', '{"prices": {"s3_put": {"usd": "much"}}}']
)
def test_what_is_no_list_of_prices_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "prices.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError):
        overridden(file)


def test_an_unknown_assumption_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError, match="retention_days"):
        standard().assuming({"patience": 1})


def test_the_page_shows_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [(words, shown)] = re.findall(r"```console\n\$ flowstrand (.*)\n((?:.*\n)*?)```", PAGE)
    shutil.copy(FIXTURE, tmp_path / "order.jsonl")
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(program, words.split()).stdout == shown


def test_the_page_has_every_price() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| ([\d,]+) ", PAGE, re.MULTILINE)
    told = {name: (float(usd), float(per.replace(",", ""))) for name, usd, per in rows}
    assert told == {name: (price.usd, price.per) for name, price in standard().prices.items()}
    assert standard().date in PAGE


def test_the_page_and_the_program_say_which_prices_nobody_has_compared() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", PAGE, re.MULTILINE)
    unverified = sorted(name for name, read in rows if read == "**unverified**")
    assert unverified == standard().unverified != []
    assert (
        f"compared with nothing: {', '.join(unverified)}\n"
        in CliRunner().invoke(program, ["price", str(FIXTURE)]).stderr
    )


def test_a_price_of_ones_own_is_no_unverified_one(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({"prices": {name: {"usd": 1} for name in standard().unverified}}))
    assert overridden(file).unverified == []


def test_json_has_sources_and_assumptions() -> None:
    result = CliRunner().invoke(program, ["price", str(FIXTURE), "--json", "--assume", "api_ms=1"])
    document = json.loads(result.stdout)
    assert all(item["source"].startswith("https://aws.amazon.com/") for item in document["items"])
    assert document["assumptions"]["api_ms"]["value"] == 1
    assert document["usd"] == pytest.approx(sum(item["usd"] for item in document["items"]), rel=1e-4)


@pytest.mark.parametrize("words", [[], ["x", "--execution", "y"], [str(FIXTURE), "--assume", "api_ms=fast"]])
def test_what_cannot_be_meant_is_refused(words: list[str]) -> None:
    assert CliRunner().invoke(program, ["price", *words]).exit_code == Exit.USAGE
