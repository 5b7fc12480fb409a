"""The emulator: a process on 127.0.0.1 that runs functions as processes of their own, and checks what their roles may do.

What it gets wrong is worked around in `template_copy` and here, and named where it is.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import yaml

from tests.aws.sam import BUILT, FOLDER

REGION = "eu-central-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
LOG = FOLDER / "ministack.log"
SKIPPED = (
    "that streamed responses arrive as they are written: it collects them, and leaves their prelude in the body",
    "what API Gateway answers by itself: it does not read refusals and preflights from the API's definition, and says 403 for another org's key, not 404",
    "that requests are counted with the usage key that the authorizer names, and refused beyond a plan: it takes keys from a header alone",
    "bisected batches, single failures in a stream's batch, and stream records that were given up: it ignores these settings",
    "conditions on DynamoDB's leading keys: it takes them for met; everything else in the functions' policies is enforced",
)
"""What is not checked, and why."""
_START_S, _END_S = 120.0, 10.0
_BOOTSTRAP = Path(__file__).with_name("bootstrap")


class EmulatorDied(Exception):
    """It did not start; the end of its log is the message."""


@contextmanager
def running(programs: Path) -> Iterator[str]:
    """Start it; its endpoint. All it had, and every process it started, is gone afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    endpoint, scratch = f"http://127.0.0.1:{port}", FOLDER / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    with LOG.open("wb") as log:
        process = subprocess.Popen(
            [str(programs / "ministack")],
            env=_environment(programs, port, endpoint, scratch),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await(process, endpoint)
        yield endpoint
    finally:
        _end(process)
        shutil.rmtree(scratch, ignore_errors=True)


def health(endpoint: str) -> dict[str, Any] | None:
    """What it says of itself; None if that is somebody else, or nobody."""
    try:
        answer = httpx2.get(f"{endpoint}/_ministack/health")
        said: dict[str, Any] = answer.json()
    except (httpx2.TransportError, ValueError):
        return None
    return said if answer.status_code == 200 and "version" in said else None


def give_stream_function_its_layers() -> str:
    """Have the built stream function started by its wrapper; what was changed.

    The emulator runs Python's functions in a loop of its own, which knows no exec wrapper and no streamed responses. A custom
    runtime is spoken to by Lambda's Runtime API, over HTTP, but has no layers.
    """
    function, file = BUILT / "StreamFunction", BUILT / "template.yaml"
    for layer in ("EngineLayer", "DependenciesLayer"):
        shutil.copytree(BUILT / layer / "python", function / "opt" / "python", dirs_exist_ok=True)
    shutil.copy(_BOOTSTRAP, function / "bootstrap")
    template = yaml.safe_load(file.read_text(encoding="utf-8"))
    template["Resources"]["StreamFunction"]["Properties"]["Runtime"] = "provided.al2023"
    file.write_text(yaml.safe_dump(template), encoding="utf-8")
    return (
        "the stream function is a custom runtime that has its layers beside it, and starts them by the exec wrapper that is"
        " deployed: the emulator has no exec wrappers for Python, and no layers for custom runtimes"
    )


def compile_once(python: Path) -> str:
    """Put bytecode beside what was built; what was changed.

    The emulator unpacks a function's layers for each of its processes, which would all compile them.
    """
    layers = [str(BUILT / layer) for layer in ("EngineLayer", "DependenciesLayer", "JwtLayer", "WorkflowsLayer")]
    # By no time stamp: unpacking loses those.
    subprocess.run(
        [str(python), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", *layers], check=True
    )
    return "layers have their bytecode with them: each process of the emulator would compile them anew"


def _environment(programs: Path, port: int, endpoint: str, scratch: Path) -> dict[str, str]:
    """Functions inherit it, so there is nothing in it of whoever started the script."""
    return {
        **CREDENTIALS,
        # Functions' Python and SDK are the emulator's.
        "PATH": os.pathsep.join([str(programs), os.defpath]),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "AUTH": "true",
        # Listeners on every interface that nobody needs.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # Each of a burst's processes imports everything; they are not started again for the next one.
        "LAMBDA_WARM_TTL_SECONDS": "3600",
    }


def _await(process: subprocess.Popen[bytes], endpoint: str) -> None:
    deadline = time.monotonic() + _START_S
    while health(endpoint) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise EmulatorDied(LOG.read_text(encoding="utf-8", errors="replace")[-4_000:])
        time.sleep(0.2)


def _end(process: subprocess.Popen[bytes]) -> None:
    """First it, then what it has started, which is in its group."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_END_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
