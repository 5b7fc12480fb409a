"""What Lambda's runtime client adds to handlers that are warm: `awslambdaric` against a Runtime API on loopback, DynamoDB on Dynoxide."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.functions.stack import sample
from tests.lambdas.mounts import client_version, interpreter
from tests.lambdas.overhead import overhead
from tests.lambdas.sample_world import sample_world
from tests.lambdas.stack import emulators
from tests.support.dynoxide import NAME, DynoxideUnavailableError

SAMPLES = ("authorizer/user-key", "events/history", "executions/get", "executions/list", "tasks/heartbeat")
ROUNDS = 200


def main() -> int:
    """Measure and report."""
    with TemporaryDirectory(prefix="flowstrand-bench-") as name, emulators(Path(name)) as servers:
        print(f"awslambdaric {client_version()}, Python {interpreter().version}, {NAME}; {ROUNDS} rounds each")
        stack = sample_world("bench", servers, Path(name) / "stack")
        try:
            for one in SAMPLES:
                function = stack.function(one.partition("/")[0])
                print(overhead(function, sample(one), one, rounds=ROUNDS), flush=True)
        finally:
            stack.close()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DynoxideUnavailableError as error:
        sys.exit(f"bench runtime: {error}")
