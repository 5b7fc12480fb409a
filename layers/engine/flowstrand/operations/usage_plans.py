"""`UsagePlans`: the usage plans of API Gateway that a stack's API is in, and the keys in them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from botocore.exceptions import ClientError

from flowstrand.aws_faults import error_code
from flowstrand.dataclass import dataclass
from flowstrand.errors import OperatorError
from flowstrand.operations.stack import GatewayClient

STAGE = "live"
"""As the template has it."""
_PAGE = 500
_MOST_DAYS = 90
"""That API Gateway tells of at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfUse:
    """What was counted on one day.

    Attributes:
        remaining: what was left of the plan's quota at its end; None where the plan has none.
    """

    day: date
    requests: int
    remaining: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyState:
    """What API Gateway has under some value."""

    key_id: str
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class UsagePlans:
    """Those of one API. Everything here may raise `ClientError` and `BotoCoreError`."""

    gateway: GatewayClient
    api_id: str

    def require(self, plan_id: str) -> None:
        """Return if this is a plan of the API.

        Raises:
            OperatorError: there is no such plan, or it is another API's.
        """
        try:
            plan = self.gateway.get_usage_plan(usagePlanId=plan_id)
        except ClientError as error:
            if not _is_missing(error):
                raise
            raise OperatorError(f"there is no usage plan {plan_id} here", code="USAGE_PLAN_NOT_FOUND") from None
        if not self._covers(plan):
            message = f"the usage plan {plan_id} does not have the stage {STAGE} of the API {self.api_id}"
            raise OperatorError(message, code="USAGE_PLAN_OF_ANOTHER_API")

    def make_key(self, org: str) -> tuple[str, str]:
        """The id and the value of the org's key, which is made where there is none."""
        value = self._value_of(org)
        found = self.find_key(org)
        if found is None:
            name = self._name_of(org)
            description = f"Counts the requests of the org {org}. Made by `flowstrand usage enroll`."
            made = self.gateway.create_api_key(name=name, description=description, value=value, enabled=True)
            found = str(made["id"])
        return found, value

    def find_key(self, org: str) -> str | None:
        """The id of the org's key, whether it is recorded or not."""
        pages = {"nameQuery": self._name_of(org), "includeValues": True}
        for key in _items(self.gateway.get_api_keys, pages):
            if key.get("value") == self._value_of(org):
                return str(key["id"])
        return None

    def put_in(self, key_id: str, plan_id: str) -> None:
        """Have a key in this plan, and in no other of the API: it can be in one alone."""
        plans = list(self.with_key(key_id))
        for other in plans:
            if other != plan_id:
                self._take_out(key_id, other)
        if plan_id not in plans:
            self.gateway.create_usage_plan_key(usagePlanId=plan_id, keyId=key_id, keyType="API_KEY")

    def delete_key(self, key_id: str) -> None:
        """Have no such key, in no plan."""
        with _unless_missing():
            for plan_id in list(self.with_key(key_id)):
                self._take_out(key_id, plan_id)
        with _unless_missing():
            self.gateway.delete_api_key(apiKey=key_id)

    def with_key(self, key_id: str) -> Iterator[str]:
        """The API's plans that a key is in."""
        for plan in _items(self.gateway.get_usage_plans, {"keyId": key_id}):
            # What is told by a filter of somebody else's is looked at again before a key is taken out for it.
            if self._covers(plan) and key_id in self._keys_in(str(plan["id"])):
                yield str(plan["id"])

    def planned_keys(self) -> set[str]:
        """The ids of all keys that are in some plan of the API."""
        plans = [str(plan["id"]) for plan in _items(self.gateway.get_usage_plans, {}) if self._covers(plan)]
        return {key_id for plan_id in plans for key_id in self._keys_in(plan_id)}

    def keys_by_value(self) -> dict[str, KeyState]:
        """All keys of the account and region, by what an authorizer names them by."""
        return {
            str(key["value"]): KeyState(key_id=str(key["id"]), is_enabled=bool(key.get("enabled")))
            for key in _items(self.gateway.get_api_keys, {"includeValues": True})
        }

    def usage(self, key_id: str, plan_id: str, first: date, last: date) -> list[DayOfUse]:
        """What was counted, day by day, the two named included.

        Raises:
            OperatorError: they are the wrong way round, or further apart than API Gateway tells at once.
        """
        if not timedelta(0) <= last - first < timedelta(days=_MOST_DAYS):
            message = f"API Gateway tells of 1 to {_MOST_DAYS} days at once, not of {first} to {last}"
            raise OperatorError(message, code="USAGE_RANGE")
        request = {
            "usagePlanId": plan_id,
            "keyId": key_id,
            "startDate": first.isoformat(),
            "endDate": last.isoformat(),
        }
        has_quota = bool(self.gateway.get_usage_plan(usagePlanId=plan_id).get("quota"))
        days: list[Sequence[Any]] = []
        for page in _pages(self.gateway.get_usage, request):
            days += page.get("items", {}).get(key_id, ())
        return [
            DayOfUse(
                day=first + timedelta(days=at), requests=int(used), remaining=int(left) if has_quota else None
            )
            for at, (used, left) in enumerate(days)
        ]

    def _covers(self, plan: Mapping[str, Any]) -> bool:
        stages = plan.get("apiStages") or ()
        return any(stage.get("apiId") == self.api_id and stage.get("stage") == STAGE for stage in stages)

    def _keys_in(self, plan_id: str) -> set[str]:
        return {str(key["id"]) for key in _items(self.gateway.get_usage_plan_keys, {"usagePlanId": plan_id})}

    def _take_out(self, key_id: str, plan_id: str) -> None:
        with _unless_missing():
            self.gateway.delete_usage_plan_key(usagePlanId=plan_id, keyId=key_id)

    def _name_of(self, org: str) -> str:
        return f"{self.api_id}/{org}"

    def _value_of(self, org: str) -> str:
        """Always the same, so that a key that was made and not recorded is found again; unique in the region, as the API's id is."""
        return hashlib.sha256(f"flowstrand usage key\0{self.api_id}\0{org}".encode()).hexdigest()


def _items(ask: Callable[..., Mapping[str, Any]], request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for page in _pages(ask, request):
        yield from page.get("items", ())


def _pages(ask: Callable[..., Mapping[str, Any]], request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    position: dict[str, str] = {}
    while True:
        page = ask(**request, **position, limit=_PAGE)
        yield page
        if not page.get("position"):
            return
        position = {"position": str(page["position"])}


@contextmanager
def _unless_missing() -> Iterator[None]:
    """Let be what is not there any more."""
    try:
        yield
    except ClientError as error:
        if not _is_missing(error):
            raise


def _is_missing(error: ClientError) -> bool:
    return error_code(error) == "NotFoundException"
