"""Usage keys: that API Gateway has each that the authorizer names, enabled and in a usage plan. Without, callers are answered 503."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from flowstrand.directory.port import Directory
from flowstrand.operations.checks.finding import Finding, Probe, error
from flowstrand.operations.place import Stack
from flowstrand.operations.usage_plans import UsagePlans
from flowstrand.service.callers import usage_keys

_SHARED = "SharedUsageKey"


def probes(stack: Stack, directory: Directory) -> Iterator[Probe]:
    """One look at all of them."""
    names = stack.names
    if names.api_id is not None and names.shared_usage_key_id is not None:
        plans = UsagePlans(stack.clients.gateway, names.api_id)
        look = partial(_look, plans, directory, names.shared_usage_key_id)
        yield Probe(subject="usage keys", look=look)


def _look(plans: UsagePlans, directory: Directory, shared_key_id: str) -> Iterator[Finding]:
    # Recorded ones first: what leaves meanwhile is found missing at worst, and what joins is not found at all.
    keys = {
        f"org {key.org}": (key.key_id, f"repeat `flowstrand usage enroll {key.org}`")
        for key in usage_keys.every(directory)
        if key.left_at_ms is None
    }
    keys[_SHARED] = (shared_key_id, "deploy the stack again, with another parameter for SharedUsagePlan")
    enabled, planned = plans.enabled_keys(), plans.planned_keys()
    for subject, (key_id, remedy) in keys.items():
        if key_id not in enabled:
            yield error("USAGE_KEY_MISSING", subject, f"API Gateway has no key {key_id}: callers get 503", remedy)
        elif not enabled[key_id]:
            message = f"the key {key_id} is disabled: callers get 503"
            yield error("USAGE_KEY_DISABLED", subject, message, "enable it in API Gateway")
        elif key_id not in planned:
            message = f"the key {key_id} is in no usage plan of the API: callers get 503"
            yield error("USAGE_KEY_UNPLANNED", subject, message, remedy)
