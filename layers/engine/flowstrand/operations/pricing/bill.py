"""`bill`: usage times prices, a line for each thing that AWS charges, with how it was reckoned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flowstrand.operations.pricing.prices import PriceList
from flowstrand.operations.pricing.usage import Usage

_GB = 1_000_000_000
_DAYS_A_MONTH = 30
_REQUESTS_A_MESSAGE = 3
"""It is sent, received and deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line.

    Attributes:
        price: its name in the list.
        amount: of the price's unit.
        basis: how the amount comes about, in words and numbers.
    """

    service: str
    what: str
    price: str
    amount: float
    usd: float
    basis: str


def bill(usage: Usage, prices: PriceList) -> list[Item]:
    """Every line, those that are 0 left out."""
    items = [*_dynamodb(usage, prices), *_compute(usage, prices), *_messaging(usage, prices), *_s3(usage, prices)]
    return [item for item in items if item.amount]


def total_usd(items: list[Item]) -> float:
    """The sum."""
    return sum(item.usd for item in items)


def _item(prices: PriceList, service: str, what: str, price: str, amount: float, basis: str) -> Item:
    return Item(
        service=service, what=what, price=price, amount=amount, usd=prices.prices[price].of(amount), basis=basis
    )


def _dynamodb(usage: Usage, prices: PriceList) -> list[Item]:
    a = prices.assumptions
    months = a["retention_days"] / _DAYS_A_MONTH
    log_gb_months = usage.log_bytes / _GB * months
    directory = _sum(usage, a, "directory_writes")
    log_reads = _sum(usage, a, "log_reads") + usage.resumptions * a["log_reads_per_message"]
    directory_reads = _sum(usage, a, "directory_reads")
    return [
        _item(
            prices,
            "DynamoDB",
            "log, written",
            "dynamodb_write",
            usage.log_write_units,
            f"{usage.commits} commits, by their sizes",
        ),
        _item(
            prices,
            "DynamoDB",
            "directory, written",
            "dynamodb_write",
            directory,
            _sum_basis(usage, a, "directory_writes"),
        ),
        _item(
            prices,
            "DynamoDB",
            "log, let go",
            "dynamodb_write",
            usage.log_write_units * a["expiry_writes_per_commit"],
            f"{usage.log_write_units} units x {a['expiry_writes_per_commit']:g}",
        ),
        _item(
            prices,
            "DynamoDB",
            "log, read",
            "dynamodb_read",
            log_reads,
            f"{_sum_basis(usage, a, 'log_reads')}, {usage.resumptions} messages x {a['log_reads_per_message']:g}",
        ),
        _item(
            prices,
            "DynamoDB",
            "directory, read",
            "dynamodb_read",
            directory_reads,
            _sum_basis(usage, a, "directory_reads"),
        ),
        _item(
            prices,
            "DynamoDB",
            "log, kept",
            "dynamodb_storage",
            log_gb_months,
            f"{usage.log_bytes} bytes for {a['retention_days']:g} days",
        ),
        _item(prices, "DynamoDB", "log, backed up", "dynamodb_backup", log_gb_months, "the same"),
    ]


def _sum(usage: Usage, assumed: Mapping[str, float], what: str) -> float:
    return (
        usage.commits * assumed[f"{what}_per_commit"]
        + usage.attempts * assumed[f"{what}_per_attempt"]
        + usage.executions * assumed[f"{what}_per_execution"]
    )


def _sum_basis(usage: Usage, assumed: Mapping[str, float], what: str) -> str:
    amounts = {"commit": usage.commits, "attempt": usage.attempts, "execution": usage.executions}
    return ", ".join(f"{amount} {each}s x {assumed[f'{what}_per_{each}']:g}" for each, amount in amounts.items())


def _compute(usage: Usage, prices: PriceList) -> list[Item]:
    a = prices.assumptions
    requests = _requests(usage, prices)
    invocations = requests + usage.resumptions + usage.commits
    gb_s = (
        requests * a["api_ms"] * a["api_gb"]
        + usage.resumptions * a["resumer_ms"] * a["resumer_gb"]
        + usage.commits * a["projector_ms"] * a["api_gb"]
    ) / 1_000
    basis = (
        f"{requests:g} requests x {a['api_ms']:g} ms x {a['api_gb']:g} GB, {usage.resumptions} messages x "
        f"{a['resumer_ms']:g} ms x {a['resumer_gb']:g} GB, {usage.commits} commits x {a['projector_ms']:g} ms x {a['api_gb']:g} GB"
    )
    calls = f"{requests:g} requests, {usage.resumptions} messages, {usage.commits} commits at the projector, one by one"
    return [
        _item(prices, "Lambda", "invocations", "lambda_request", invocations, calls),
        _item(prices, "Lambda", "duration", "lambda_duration", gb_s, basis),
    ]


def _messaging(usage: Usage, prices: PriceList) -> list[Item]:
    requests = _requests(usage, prices)
    return [
        _item(
            prices,
            "SQS",
            "messages",
            "sqs_request",
            usage.messages * _REQUESTS_A_MESSAGE,
            f"{usage.messages} messages, each sent, received and deleted",
        ),
        _item(
            prices,
            "EventBridge Scheduler",
            "far timers",
            "scheduler_invocation",
            usage.scheduled,
            f"{usage.scheduled} moments more than 15 minutes away",
        ),
        _item(prices, "API Gateway", "requests", "api_request", requests, _requests_basis(usage, prices)),
    ]


def _s3(usage: Usage, prices: PriceList) -> list[Item]:
    a = prices.assumptions
    gb_months = usage.payload_bytes / _GB * a["retention_days"] / _DAYS_A_MONTH
    return [
        _item(prices, "S3", "payloads, stored", "s3_put", usage.payloads, f"{usage.payloads} large payloads"),
        _item(
            prices,
            "S3",
            "payloads, fetched",
            "s3_get",
            usage.payloads * a["payload_reads"],
            f"{usage.payloads} large payloads x {a['payload_reads']:g}",
        ),
        _item(
            prices,
            "S3",
            "payloads, kept",
            "s3_storage",
            gb_months,
            f"{usage.payload_bytes} bytes for {a['retention_days']:g} days; until they are pruned",
        ),
    ]


def _requests(usage: Usage, prices: PriceList) -> float:
    a = prices.assumptions
    return usage.requests + usage.attempts * a["empty_polls_per_attempt"] + a["reader_requests"]


def _requests_basis(usage: Usage, prices: PriceList) -> str:
    a = prices.assumptions
    return (
        f"{usage.requests} that the log shows, {usage.attempts} attempts x {a['empty_polls_per_attempt']:g} empty polls, "
        f"{a['reader_requests']:g} of readers"
    )
