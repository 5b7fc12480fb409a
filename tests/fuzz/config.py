"""What schemathesis is told: whom to be, what there is, and which of its checks hold here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.fuzz.seed import ORG, Seeds

_MOSTLY = 0.8
"""How often an id is one that exists."""

_TEMPLATE = """\
continue-on-failure = true
hooks = {hooks}
request-timeout = 20.0
max-stream-events = 50

[auth.wfc]
path = {users}
user = "dev"
peers = ["dev", "strangers"]

[generation]
max-examples = {examples}
allow-x00 = true

# Where a log ends and which cursors there are is not for a schema to say.
[[operations]]
include-operation-id = ["readEvents", "listAttempts", "streamTree"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404"]

# What an exploded object must not be called is a parameter that nobody knows, and those are ignored.
[[operations]]
include-operation-id = "listExecutions"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404"]
checks.negative_data_rejection.expected-statuses = ["200", "400", "401", "403", "404", "405"]

# Of a workflow's own task the execution has the events.
[[operations]]
include-operation-id = "readTaskEvents"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "409"]

# An empty Last-Event-ID is none, as EventSource has it.
[[operations]]
include-operation-id = ["streamEvents", "streamTaskEvents", "streamFeed"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "409"]
checks.negative_data_rejection.expected-statuses = ["200", "204", "400", "401", "403", "404", "405", "409"]

# How many batches an attempt may log is a setting, and which moments there are in UTC not for a schema to say.
[[operations]]
include-operation-id = "logTask"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "404", "409", "413"]

# What a ticket is for has to be there, and a workflow's own task has nothing to read.
[[operations]]
include-operation-id = "createStreamTicket"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "409"]

# Which offsets a stream has is not for a schema to say.
[[operations]]
include-operation-id = ["readExecutionStream", "readFeedStream", "readChannel"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "304", "400", "404"]

# Which headers go together is not for a schema to say: all three of a producer, and one end of a channel.
[[operations]]
include-operation-id = ["createChannel", "appendToChannel"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "403", "404", "409"]

# Which objects are JSON Schemas is for their own schema to say.
[[operations]]
include-operation-id = "registerWorker"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "404", "429"]

# How large an upload may be is a setting.
[[operations]]
include-operation-id = ["uploadPayload", "uploadOutput"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "413"]

[[operations]]
include-operation-id = "startTask"
parameters = {{ "body.kind" = {{ dictionary = "taskKinds", probability = {mostly} }} }}

[phases.stateful]
max-steps = 8
# A link may put a right value where a wrong one was to be tried.
checks.negative_data_rejection.enabled = false
# Whoever deletes a task cancels it, and can look at it still.
checks.use_after_free.enabled = false

{dictionaries}
[parameters]
"path.org" = {org}
{parameters}
"""


def write(folder: Path, seeds: Seeds, api_key: str, *, examples: int) -> Path:
    """The configuration file, and beside it what it refers to."""
    users = folder / "users.json"
    users.write_text(json.dumps({"auth": [_user("dev", api_key), _user("strangers", seeds.stranger_key)]}))
    values: dict[str, tuple[str, list[str]]] = {
        "executions": ("path.executionId", seeds.executions),
        "tasks": ("path.taskId", [*seeds.leases, *seeds.tasks]),
        "promises": ("path.promiseId", seeds.promises),
        "schedules": ("path.scheduleId", seeds.schedules),
        "queues": ("path.queue", ["default"]),
        "channels": ("path.name", seeds.channels),
        "kinds": ("body.kind", seeds.kinds),
    }
    # What its pattern cannot say is said by its values: always one of these, where a right one is asked for.
    exact = {"ttls": ("body.idempotencyKeyTTL", ["1s", "90m", "24h", "30d"])}
    config = folder / "schemathesis.toml"
    config.write_text(
        _TEMPLATE.format(
            hooks=json.dumps(str(Path(__file__).with_name("hooks.py"))),
            users=json.dumps(str(users)),
            examples=examples,
            org=json.dumps(ORG),
            mostly=_MOSTLY,
            dictionaries=_dictionaries({n: v for n, (_, v) in (values | exact).items()} | {"taskKinds": ["work"]}),
            parameters="".join(
                f'"{place}" = {{ dictionary = "{name}", probability = {_MOSTLY if name in values else 1.0} }}\n'
                for name, (place, _) in (values | exact).items()
            ),
        ),
        encoding="utf-8",
    )
    return config


def _dictionaries(values: dict[str, list[str]]) -> str:
    return "".join(f"[dictionaries.{name}]\nvalues = {json.dumps(some)}\n\n" for name, some in values.items())


def _user(name: str, api_key: str) -> dict[str, Any]:
    return {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {api_key}"}]}
