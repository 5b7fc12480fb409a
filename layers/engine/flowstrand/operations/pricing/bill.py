"""`bill`: usage times prices, a line for each thing that AWS charges, with how it was reckoned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from flowstrand.dataclass import dataclass
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
    parts = (_written, _read, _kept, _compute, _messaging, _payloads)
    items = [item for part in parts for item in part(_Bill(usage=usage, prices=prices))]
    return [item for item in items if item.amount]


def total_usd(items: list[Item]) -> float:
    """The sum."""
    return sum(item.usd for item in items)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bill:
    """What lines are reckoned from."""

    usage: Usage
    prices: PriceList

    @property
    def assumed(self) -> Mapping[str, float]:
        return self.prices.assumptions

    @property
    def months(self) -> float:
        return self.assumed["retention_days"] / _DAYS_A_MONTH

    @property
    def requests(self) -> float:
        a, usage = self.assumed, self.usage
        return usage.requests + usage.attempts * a["empty_polls_per_attempt"] + a["reader_requests"]

    def item(self, service: str, what: str, price: str, amount: float, basis: str) -> Item:
        usd = self.prices.prices[price].of(amount)
        return Item(service=service, what=what, price=price, amount=amount, usd=usd, basis=basis)

    def each(self, what: str) -> float:
        """What is assumed of each commit, attempt and execution, together."""
        return sum(amount * self.assumed[f"{what}_per_{name}"] for name, amount in self._amounts.items())

    def each_basis(self, what: str) -> str:
        return ", ".join(
            f"{amount} {name}s x {self.assumed[f'{what}_per_{name}']:g}" for name, amount in self._amounts.items()
        )

    @property
    def _amounts(self) -> Mapping[str, int]:
        usage = self.usage
        return {"commit": usage.commits, "attempt": usage.attempts, "execution": usage.executions}


def _written(bill: _Bill) -> Iterator[Item]:
    units, a = bill.usage.log_write_units, bill.assumed
    line = partial(bill.item, "DynamoDB")
    yield line("log, written", "dynamodb_write", units, f"{bill.usage.commits} commits, by their sizes")
    directory = "directory_writes"
    yield line("directory, written", "dynamodb_write", bill.each(directory), bill.each_basis(directory))
    let_go = a["expiry_writes_per_commit"]
    yield line("log, let go", "dynamodb_write", units * let_go, f"{units} units x {let_go:g}")


def _read(bill: _Bill) -> Iterator[Item]:
    messages, each = bill.usage.resumptions, bill.assumed["log_reads_per_message"]
    line = partial(bill.item, "DynamoDB")
    basis = f"{bill.each_basis('log_reads')}, {messages} messages x {each:g}"
    yield line("log, read", "dynamodb_read", bill.each("log_reads") + messages * each, basis)
    directory = "directory_reads"
    yield line("directory, read", "dynamodb_read", bill.each(directory), bill.each_basis(directory))


def _kept(bill: _Bill) -> Iterator[Item]:
    gb_months = bill.usage.log_bytes / _GB * bill.months
    basis = f"{bill.usage.log_bytes} bytes for {bill.assumed['retention_days']:g} days"
    yield bill.item("DynamoDB", "log, kept", "dynamodb_storage", gb_months, basis)
    yield bill.item("DynamoDB", "log, backed up", "dynamodb_backup", gb_months, "the same")


def _compute(bill: _Bill) -> Iterator[Item]:
    a, usage, requests = bill.assumed, bill.usage, bill.requests
    calls = f"{requests:g} requests, {usage.resumptions} messages, {usage.commits} commits at the projector, one by one"
    invocations = requests + usage.resumptions + usage.commits
    yield bill.item("Lambda", "invocations", "lambda_request", invocations, calls)
    parts = (
        (requests, "requests", a["api_ms"], a["api_gb"]),
        (usage.resumptions, "messages", a["resumer_ms"], a["resumer_gb"]),
        (usage.commits, "commits", a["projector_ms"], a["api_gb"]),
    )
    gb_s = sum(amount * ms * gb for amount, _, ms, gb in parts) / 1_000
    basis = ", ".join(f"{amount:g} {what} x {ms:g} ms x {gb:g} GB" for amount, what, ms, gb in parts)
    yield bill.item("Lambda", "duration", "lambda_duration", gb_s, basis)


def _messaging(bill: _Bill) -> Iterator[Item]:
    usage, a = bill.usage, bill.assumed
    sent = f"{usage.messages} messages, each sent, received and deleted"
    yield bill.item("SQS", "messages", "sqs_request", usage.messages * _REQUESTS_A_MESSAGE, sent)
    far = f"{usage.scheduled} moments more than 15 minutes away"
    yield bill.item("EventBridge Scheduler", "far timers", "scheduler_invocation", usage.scheduled, far)
    asked = (
        f"{usage.requests} that the log shows, {usage.attempts} attempts x {a['empty_polls_per_attempt']:g} empty polls, "
        f"{a['reader_requests']:g} of readers"
    )
    yield bill.item("API Gateway", "requests", "api_request", bill.requests, asked)


def _payloads(bill: _Bill) -> Iterator[Item]:
    usage, reads = bill.usage, bill.assumed["payload_reads"]
    large = f"{usage.payloads} large payloads"
    yield bill.item("S3", "payloads, stored", "s3_put", usage.payloads, large)
    yield bill.item("S3", "payloads, fetched", "s3_get", usage.payloads * reads, f"{large} x {reads:g}")
    gb_months = usage.payload_bytes / _GB * bill.months
    basis = f"{usage.payload_bytes} bytes for {bill.assumed['retention_days']:g} days; until they are pruned"
    yield bill.item("S3", "payloads, kept", "s3_storage", gb_months, basis)
