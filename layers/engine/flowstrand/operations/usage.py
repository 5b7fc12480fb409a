"""Giving an org a usage key of its own, and taking it away: in an order in which no caller is refused for it, and repeatable at any point.

Joining: the key is made, put in its plan, and only then recorded where the authorizer reads it. Leaving is the reverse: the record says that the
org is leaving, and the key is deleted when nothing that answers callers can remember it, and the record last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from flowstrand.dataclass import dataclass
from flowstrand.engine.names import is_name
from flowstrand.errors import ConfigurationError, InvalidInput, NotFound, OperatorError
from flowstrand.operations.place import Place
from flowstrand.operations.usage_plans import DayOfUse, UsagePlans
from flowstrand.service.callers import usage_keys
from flowstrand.service.callers.usage_keys import UsageKey

_GATEWAY_KEEPS_MS = 60_000
"""`ReauthorizeEvery` in the template: how long API Gateway remembers what an authorizer has answered."""
REMEMBERED_MS = usage_keys.KEPT_MS + _GATEWAY_KEEPS_MS + 30_000
"""After so long nobody remembers what is not recorded any more: two minutes, some of them for clocks that differ."""


def enroll(place: Place, org: str, plan_id: str | None) -> UsageKey:
    """Have an org counted by itself, in a usage plan: this one, or else the one that it is in, or else the stack's own.

    Raises:
        InvalidInput: `org` is no name of an org.
        ConfigurationError: it is not known which API this is.
        OperatorError: there is no such plan, or it is another API's.
    """
    if not is_name(org):
        raise InvalidInput(f"{org!r} cannot be the name of an org")
    metered = _metered(place)
    recorded = usage_keys.read(place.services.directory, org)
    wanted = plan_id or (metered.default_plan_id if recorded is None else recorded.plan_id)
    metered.plans.require(wanted)
    key_id, value = metered.plans.make_key(org)
    metered.plans.put_in(key_id, wanted)
    now_ms = place.services.clock.now_ms() if recorded is None else recorded.created_at_ms
    key = UsageKey(org=org, value=value, key_id=key_id, plan_id=wanted, created_at_ms=now_ms)
    usage_keys.record(place.services.directory, key)
    return key


def leave(place: Place, org: str, pause: Callable[[float], None]) -> str:
    """Have an org counted together with all others again; returns the id of its key, which is deleted.

    Args:
        pause: waits for so many seconds, until the key is forgotten wherever it may be used.

    Raises:
        NotFound: it has no key.
        ConfigurationError: it is not known which API this is.
        OperatorError: somebody has enrolled it again meanwhile.
    """
    plans, directory = _metered(place).plans, place.services.directory
    recorded = usage_keys.read(directory, org)
    if recorded is None:
        return _delete_unrecorded(plans, org)
    if recorded.left_at_ms is None:
        recorded = replace(recorded, left_at_ms=place.services.clock.now_ms())
        usage_keys.record(directory, recorded)
    waits_ms = (recorded.left_at_ms or 0) + REMEMBERED_MS - place.services.clock.now_ms()
    if waits_ms > 0:
        pause(waits_ms / 1_000)
    if usage_keys.read(directory, org) != recorded:
        raise OperatorError(f"{org} has been enrolled again, or has left elsewhere", code="USAGE_KEY_CHANGED")
    plans.delete_key(recorded.key_id)
    usage_keys.forget(directory, org)
    return recorded.key_id


def every(place: Place) -> list[UsageKey]:
    """The keys of all orgs that have one. Raises ConfigurationError as `enroll` does."""
    _metered(place)
    return list(usage_keys.every(place.services.directory))


def of_org(place: Place, org: str, plan_id: str | None, first: date, last: date) -> list[DayOfUse]:
    """What an org has used, day by day, in the plan that it is in, or in another that it was in.

    Raises:
        NotFound: the org has no key of its own.
        ConfigurationError: it is not known which API this is.
        OperatorError: API Gateway does not tell of these days at once.
    """
    plans = _metered(place).plans
    recorded = usage_keys.read(place.services.directory, org)
    if recorded is None:
        raise _no_key(org)
    return plans.usage(recorded.key_id, plan_id or recorded.plan_id, first, last)


def shared(place: Place, first: date, last: date) -> list[DayOfUse]:
    """What all orgs without a key have used, together. Raises what `of_org` does."""
    metered = _metered(place)
    return metered.plans.usage(metered.shared_key_id, metered.shared_plan_id, first, last)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metered:
    """A stack with usage plans."""

    plans: UsagePlans
    default_plan_id: str
    shared_plan_id: str
    shared_key_id: str


def _metered(place: Place) -> _Metered:
    names = None if place.stack is None else place.stack.names
    if place.stack is None or names is None:
        raise ConfigurationError("a local server has no usage plans; name a deployed stack: --stack")
    api_id, plan_id = names.api_id, names.org_usage_plan_id
    shared_plan_id, shared_key_id = names.shared_usage_plan_id, names.shared_usage_key_id
    if api_id is None or plan_id is None or shared_plan_id is None or shared_key_id is None:
        raise ConfigurationError("it is not known here which usage plans there are; name the stack: --stack")
    return _Metered(
        plans=UsagePlans(place.stack.clients.gateway, api_id),
        default_plan_id=plan_id,
        shared_plan_id=shared_plan_id,
        shared_key_id=shared_key_id,
    )


def _delete_unrecorded(plans: UsagePlans, org: str) -> str:
    """The key of an org whose joining was broken off before it was recorded: nobody can remember it."""
    key_id = plans.find_key(org) if is_name(org) else None
    if key_id is None:
        raise _no_key(org)
    plans.delete_key(key_id)
    return key_id


def _no_key(org: str) -> NotFound:
    return NotFound(f"{org} has no usage key of its own", code="USAGE_KEY_NOT_FOUND")
