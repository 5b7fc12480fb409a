"""`PriceList`: prices, each with its source, and what is assumed where a history does not tell. All of it is in one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.errors import ConfigurationError

_FILE = "prices.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What something costs.

    Attributes:
        usd: for `per` of `unit`.
        source: where AWS says so.
        seen: where the number was read, and when; None where it has not been compared with anything.
    """

    usd: float
    per: float
    unit: str
    source: str
    seen: str | None = None

    def of(self, amount: float) -> float:
        """What an amount costs."""
        return self.usd * amount / self.per


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """Prices of one region, as of a date."""

    region: str
    date: str
    prices: Mapping[str, Price]
    assumptions: Mapping[str, float]
    reasons: Mapping[str, str]

    @property
    def unverified(self) -> list[str]:
        """The prices that have not been compared with anything."""
        return sorted(name for name, price in self.prices.items() if price.seen is None)

    def assuming(self, given: Mapping[str, float]) -> PriceList:
        """The same with other assumptions.

        Raises:
            ConfigurationError: there is none of that name.
        """
        if unknown := sorted(given.keys() - self.assumptions.keys()):
            raise ConfigurationError(
                f"nothing is assumed of {', '.join(unknown)}; there are {', '.join(sorted(self.assumptions))}"
            )
        return replace(self, assumptions={**self.assumptions, **given})


def standard() -> PriceList:
    """The list that comes with Flowstrand."""
    text = resources.files("flowstrand.operations.pricing").joinpath(_FILE).read_text(encoding="utf-8")
    return _parse(json.loads(text), {})


def overridden(file: Path) -> PriceList:
    """The standard list with what a file of the same form says instead; it may leave anything out.

    Raises:
        ConfigurationError: it cannot be read, or has a price of something that is not charged.
    """
    base = json.loads(resources.files("flowstrand.operations.pricing").joinpath(_FILE).read_text(encoding="utf-8"))
    try:
        own = json.loads(file.read_text(encoding="utf-8"))
        return _parse(base, own)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{file} is no list of prices: {type(error).__name__}: {error}") from error


def _parse(base: Mapping[str, Any], own: Mapping[str, Any]) -> PriceList:
    own_prices, own_assumptions = own.get("prices", {}), own.get("assumptions", {})
    if unknown := sorted(
        (own_prices.keys() - base["prices"].keys()) | (own_assumptions.keys() - base["assumptions"].keys())
    ):
        raise ValueError(f"unknown: {', '.join(unknown)}")
    prices = {name: {**price, **_own(own_prices.get(name))} for name, price in base["prices"].items()}
    assumptions = {name: {**each, **own_assumptions.get(name, {})} for name, each in base["assumptions"].items()}
    return PriceList(
        region=str(own.get("region", base["region"])),
        date=str(own.get("date", base["date"])),
        prices={
            name: Price(
                usd=float(price["usd"]),
                per=float(price["per"]),
                unit=str(price["unit"]),
                source=str(price["source"]),
                seen=price.get("seen"),
            )
            for name, price in prices.items()
        },
        assumptions={name: float(each["value"]) for name, each in assumptions.items()},
        reasons={name: str(each["why"]) for name, each in assumptions.items()},
    )


def _own(price: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """A price of one's own, seen by whoever gives it."""
    return {} if price is None else {"seen": "given", **price}
