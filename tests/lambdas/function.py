"""`LambdaFunction`: a deployed function as Lambda runs it, in a process of its own under the runtime client, one event at a time."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lambdas.mounts import Mounts, interpreter
from tests.lambdas.runtime_api import Invocation, RuntimeApi

_START_S, _END_S = 120.0, 30.0
_LOOK_S = 0.02
_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"


class FunctionError(Exception):
    """An invocation that failed: what the runtime reported, or that the process was gone, or out of time."""

    def __init__(self, function: str, report: Mapping[str, Any]) -> None:
        super().__init__(f"{function}: {report.get('errorType')}: {report.get('errorMessage')}")
        self.report = report

    @property
    def type(self) -> str:
        """The report's `errorType`."""
        return str(self.report.get("errorType"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """What a stack says of a function.

    Attributes:
        environment: whole, as its process gets it.
        timeout_ms: how long an invocation may take; then the process is killed.
    """

    name: str
    handler: str
    arn: str
    environment: Mapping[str, str]
    timeout_ms: int


class LambdaFunction:
    """Begins a process when there is something to do and keeps it for what comes next. Ends it where Lambda would."""

    def __init__(self, specification: Specification, mounts: Mounts, log: Path) -> None:
        """What the process writes goes to `log`."""
        self.specification = specification
        self.cold_starts = 0
        self.mounts = mounts
        self._log = log
        self._api = RuntimeApi(specification.arn)
        self._process: subprocess.Popen[bytes] | None = None
        self._busy = threading.Lock()

    def invoke(self, event: Any, *, timeout_ms: int | None = None, client_context: str | None = None) -> Any:
        """The handler's answer, out of the JSON that it was sent as.

        Raises:
            FunctionError: there is none.
        """
        with self._begun(event, timeout_ms, client_context) as invocation:
            self._see_through(invocation)
        assert invocation.headers["content-type"] == "application/json", invocation.headers
        return json.loads(invocation.body)

    def timed(self, event: Any) -> float:
        """How many milliseconds the process had an event for.

        Raises:
            FunctionError: it failed.
        """
        with self._begun(event, None, None) as invocation:
            self._see_through(invocation)
        return (invocation.answered_s - invocation.handed_out_s) * 1_000

    @contextmanager
    def streamed(self, event: Any, *, timeout_ms: int | None = None) -> Iterator[Invocation]:
        """An invocation whose response comes in chunks; over when the block ends.

        Raises:
            FunctionError: the runtime reported an error instead.
        """
        with self._begun(event, timeout_ms, None) as invocation:
            yield invocation
            self._see_through(invocation)

    @property
    def pid(self) -> int | None:
        """The process; None where there is none."""
        return None if self._process is None else self._process.pid

    def terminate(self) -> int:
        """SIGTERM, as when Lambda lets go of an environment; the exit status."""
        assert self._process is not None
        self._process.terminate()
        status = self._process.wait(_END_S)
        self._process = None
        return status

    def logged(self) -> list[str]:
        """Every line that the processes have written."""
        return self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []

    def close(self) -> None:
        """End the process."""
        self._kill()
        self._api.close()

    @contextmanager
    def _begun(self, event: Any, timeout_ms: int | None, client_context: str | None) -> Iterator[Invocation]:
        with self._busy:
            self._ensure_process()
            limit_ms = self.specification.timeout_ms if timeout_ms is None else timeout_ms
            yield self._api.submit(event, timeout_ms=limit_ms, client_context=client_context)

    def _see_through(self, invocation: Invocation) -> None:
        process = self._process
        assert process is not None
        deadline = time.monotonic() + invocation.timeout_ms / 1_000
        while not invocation.finished.wait(_LOOK_S):
            if process.poll() is not None:
                self._process = None
                raise FunctionError(self.specification.name, _gone(process.returncode))
            if time.monotonic() > deadline:
                self._kill()
                raise FunctionError(self.specification.name, _late(invocation))
        if invocation.is_error:
            raise FunctionError(self.specification.name, json.loads(invocation.body))

    def _ensure_process(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self._api.forget()
        self._process = self._start()
        self.cold_starts += 1
        deadline = time.monotonic() + _START_S
        while not self._api.has_initialized.wait(_LOOK_S):
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = "\n".join(self.logged()[-20:])
                self._kill()
                raise FunctionError(
                    self.specification.name, {"errorType": "Runtime.ExitError", "errorMessage": said}
                )
        if self._api.initialization_error is not None:
            self._process.wait(_END_S)
            self._process = None
            raise FunctionError(self.specification.name, self._api.initialization_error)

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**self.specification.environment, "AWS_LAMBDA_RUNTIME_API": self._api.address}
        runtime = [interpreter().path, str(self.mounts.runtime / "bootstrap.py"), self.specification.handler]
        wrapper = environment.get(_WRAPPER)
        if wrapper is not None:
            # Lambda's own bootstrap gives way to the wrapper, and leaves it to start the runtime, or another.
            runtime = [str(self.mounts.opt / Path(wrapper).relative_to("/opt")), *runtime]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                runtime,
                cwd=self.mounts.task,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _gone(status: int) -> Mapping[str, Any]:
    return {"errorType": "Runtime.ExitError", "errorMessage": f"Runtime exited with status {status}"}


def _late(invocation: Invocation) -> Mapping[str, Any]:
    message = f"Task timed out after {invocation.timeout_ms / 1_000:.2f} seconds"
    return {"errorType": "Sandbox.Timedout", "errorMessage": message}
