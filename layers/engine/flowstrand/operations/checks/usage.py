"""Usage keys: that API Gateway has each that the authorizer names, enabled and in a usage plan. Without, callers are answered 503."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from flowstrand.directory.port import Directory
from flowstrand.operations.checks.finding import Finding, Probe, error
from flowstrand.operations.place import Stack
from flowstrand.operations.usage_plans import UsagePlans
from flowstrand.service.callers import usage_keys

_AUTHORIZER, _SHARED = "AuthorizerFunction", "SharedUsageKey"
_VARIABLE = "FLOWSTRAND_SHARED_USAGE_KEY"


def probes(stack: Stack, directory: Directory) -> Iterator[Probe]:
    """One look at all of them."""
    api_id, authorizer = stack.names.api_id, stack.names.functions.get(_AUTHORIZER)
    if api_id is not None and authorizer is not None and stack.names.shared_usage_key_id is not None:
        look = partial(_look, UsagePlans(stack.clients.gateway, api_id), stack, directory, authorizer)
        yield Probe(subject="usage keys", look=look)


def _look(plans: UsagePlans, stack: Stack, directory: Directory, authorizer: str) -> Iterator[Finding]:
    # What is recorded is read first: who leaves meanwhile is found missing at worst, and who joins is not looked for.
    named = {
        f"org {key.org}": (key.value, f"repeat `flowstrand usage enroll {key.org}`")
        for key in usage_keys.every(directory)
        if key.left_at_ms is None
    }
    found = stack.clients.functions.get_function_configuration(FunctionName=authorizer)
    shared = str(found.get("Environment", {}).get("Variables", {}).get(_VARIABLE, ""))
    remedy = f"put a key whose value is {_VARIABLE} of the authorizer in the plan SharedUsagePlan"
    keys, planned = plans.keys_by_value(), plans.planned_keys()
    for subject, (value, repair) in {**named, _SHARED: (shared, remedy)}.items():
        key = keys.get(value)
        if key is None:
            message = "API Gateway has no key of the value that the authorizer names: callers get 503"
            yield error("USAGE_KEY_MISSING", subject, message, repair)
        elif not key.is_enabled:
            message = f"the key {key.key_id} is disabled: callers get 503"
            yield error("USAGE_KEY_DISABLED", subject, message, "enable it in API Gateway")
        elif key.key_id not in planned:
            message = f"the key {key.key_id} is in no usage plan of the API: callers get 503"
            yield error("USAGE_KEY_UNPLANNED", subject, message, repair)
