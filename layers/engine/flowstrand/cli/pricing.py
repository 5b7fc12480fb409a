"""`flowstrand price`: what recorded executions cost on AWS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowstrand.cli import recorded
from flowstrand.cli.cells import Column
from flowstrand.cli.failures import told_on_one_line
from flowstrand.cli.on_place import DataFolder, StackName
from flowstrand.cli.on_server import AsJson
from flowstrand.cli.options import pairs
from flowstrand.cli.output import Output
from flowstrand.cli.recorded import Execution, Files, Owner
from flowstrand.jsonvalue import JsonObject, JsonValue

if TYPE_CHECKING:
    from flowstrand.operations.pricing.bill import Item
    from flowstrand.operations.pricing.prices import PriceList

_COLUMNS = (
    Column("service", "SERVICE", is_whole=True),
    Column("what", "WHAT"),
    Column("amount", "AMOUNT", is_whole=True),
    Column("unit", "UNIT"),
    Column("usd", "USD", is_whole=True),
    Column("basis", "BASIS"),
)


def price(
    files: Files = None,
    execution: Execution = None,
    org: Owner = "dev",
    prices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Other prices: a JSON file of the same form.")
    ] = None,
    assume: Annotated[
        list[str] | None, typer.Option(metavar="NAME=NUMBER", help="Another assumption; may be repeated.")
    ] = None,
    times: Annotated[int, typer.Option(min=1, help="What so many of them cost.")] = 1,
    as_json: AsJson = False,
    stack: StackName = None,
    data: DataFolder = None,
) -> None:
    """Reckon what executions cost, a line for each thing that AWS charges, with what is assumed.

    Examples:
        flowstrand price order.jsonl --times 1000000
        flowstrand price --execution 01JDX5K7Q2ZB4M8N0P3R6T9V1W --data .flowstrand --assume retention_days=365
    """
    histories = recorded.chosen(files, execution, org, stack, data)
    from flowstrand.operations.pricing.bill import bill, total_usd
    from flowstrand.operations.pricing.usage import usage_of
    from flowstrand.operations.refusals import refusals_told

    with told_on_one_line(as_json=as_json), refusals_told():
        charged = _prices(prices, assume)
        usage = usage_of(histories)
        items = bill(usage, charged)
        rows = [_row(item, charged, times) for item in items]
        total = total_usd(items) * times
    out = Output(as_json=as_json)
    if as_json:
        out.value(_document(charged, rows, times, total))
        return
    out.many("costs", rows, _COLUMNS)
    typer.echo(f"USD {total:.6g} for {times} x {usage.executions} executions, {usage.events} events")
    _tell_of_prices(charged)


def _document(charged: PriceList, rows: list[JsonObject], times: int, total: float) -> JsonObject:
    listed: list[JsonValue] = list(rows)
    assumed: JsonObject = {
        name: {"value": value, "why": charged.reasons[name]} for name, value in charged.assumptions.items()
    }
    head: JsonObject = {"region": charged.region, "date": charged.date, "times": times, "usd": _rounded(total)}
    return {**head, "items": listed, "assumptions": assumed}


def _tell_of_prices(charged: PriceList) -> None:
    typer.echo(
        f"prices of {charged.region}, put together on {charged.date}; --json has their sources and every assumption",
        err=True,
    )
    if charged.unverified:
        typer.echo(f"compared with nothing: {', '.join(charged.unverified)}", err=True)


def _prices(file: Path | None, assume: list[str] | None) -> PriceList:
    from flowstrand.operations.pricing.prices import overridden, standard

    given = pairs(assume, "--assume")
    try:
        numbers = {name: float(text) for name, text in given.items()}
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--assume") from error
    return (standard() if file is None else overridden(file)).assuming(numbers)


def _row(item: Item, charged: PriceList, times: int) -> JsonObject:
    price = charged.prices[item.price]
    return {
        "service": item.service,
        "what": item.what,
        "amount": _rounded(item.amount * times),
        "unit": price.unit,
        "usd": _rounded(item.usd * times),
        "basis": item.basis,
        "price": f"USD {price.usd:.10f}".rstrip("0") + f" for {price.per:,.0f}",
        "source": price.source,
        "seen": price.seen,
    }


def _rounded(number: float) -> int | float:
    """To six digits: what is assumed is not known any better."""
    rounded = float(f"{number:.6g}")
    return int(rounded) if rounded.is_integer() else rounded
