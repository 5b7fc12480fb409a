"""The functions: that their settings can be read, go together and are the same, and that what calls them is switched on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from flowstrand.aws.settings import engine_settings, resources
from flowstrand.errors import ConfigurationError
from flowstrand.operations.checks import settings_rules
from flowstrand.operations.checks.finding import Finding, Probe, error, warning
from flowstrand.operations.place import Stack
from flowstrand.service.settings import Settings

_UPDATE = "set the variables in the template and deploy again"


def probes(stack: Stack) -> Iterator[Probe]:
    """Two looks at each function, and one at their settings, which must be the same."""
    seen: dict[Settings, str] = {}
    for title, name in sorted(stack.names.functions.items()):
        yield Probe(subject=title, look=partial(_configured, stack, title, name, seen))
        yield Probe(subject=f"{title}: what calls it", look=partial(_called, stack, title, name))


def _configured(stack: Stack, title: str, name: str, seen: dict[Settings, str]) -> Iterator[Finding]:
    found = stack.clients.functions.get_function_configuration(FunctionName=name)
    if found.get("State", "Active") not in {"Active", "Inactive"}:
        message = f"it is {found['State']}: {found.get('StateReason', '')}"
        yield error("FUNCTION_NOT_ACTIVE", title, message, "see the Lambda console for the reason")
    environment: Mapping[str, str] = found.get("Environment", {}).get("Variables", {})
    try:
        named, settings = resources(environment), engine_settings(environment)
    except ConfigurationError as refused:
        yield error("SETTINGS_INVALID", title, refused.message, _UPDATE)
        return
    if (named.log_table, named.directory_table) != (stack.names.log_table, stack.names.directory_table):
        yield error("SETTINGS_OTHER_STORE", title, "it works on other tables than this stack's", _UPDATE)
    if settings not in seen:
        for fault in settings_rules.faults(settings):
            yield warning("SETTINGS_UNWISE", title, fault, _UPDATE)
    seen.setdefault(settings, title)
    if len(seen) > 1 and seen[settings] == title:
        other = next(iter(seen.values()))
        yield error("SETTINGS_DIFFER", title, f"its settings are not those of {other}", _UPDATE)


def _called(stack: Stack, title: str, name: str) -> Iterator[Finding]:
    mappings: list[Mapping[str, Any]] = stack.clients.functions.list_event_source_mappings(FunctionName=name)[
        "EventSourceMappings"
    ]
    for mapping in mappings:
        source = str(mapping.get("EventSourceArn", "")).rpartition(":")[2] or "its source"
        if mapping.get("State") not in {"Enabled", "Enabling", "Creating", "Updating"}:
            message = f"{source} does not call it: the mapping is {mapping.get('State')}"
            yield error("MAPPING_OFF", title, message, "enable the event source mapping")
        result = str(mapping.get("LastProcessingResult", ""))
        if result.startswith("PROBLEM"):
            yield warning(
                "MAPPING_PROBLEM", title, f"{source}: {result}", "see the function's logs and permissions"
            )
