"""Builds, deploys and tries a stack: `python -m tests.aws`; `scripts/e2e` is the way to it, and `docs/testing-on-aws.md` about it."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from uuid import uuid4

from localstack_client.config import get_service_endpoint  # type: ignore[import-untyped]  # it ships no types

from tests.aws import ministack
from tests.aws.deployed import Deployed, summary
from tests.aws.sam import Sam, SamFailed
from tests.aws.template_copy import TemplateCopy
from tests.aws.tools import MINISTACK, ROOT, SAM, ToolMissing, functions_python, installed

_STACK = "flowstrand-e2e"
_LOG_LINES = 12


def main(arguments: Sequence[str]) -> int:
    """Exits 0 if every scenario passed, 1 if one did not, 2 if none could be tried."""
    # So that what has been started ends, however this does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options, more = _parser().parse_known_args(arguments)
    began = time.monotonic()
    try:
        status = _dispatch(options, more)
    except (ToolMissing, SamFailed, ministack.EmulatorDied) as error:
        print(f"e2e: {error}", file=sys.stderr)
        return 2
    print(f"--- {'all passed' if status == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s")
    return status


def _dispatch(options: argparse.Namespace, more: Sequence[str]) -> int:
    if options.aws:
        return _on_aws(options, more)
    python, runtime = functions_python()
    if options.endpoint:
        endpoint = _named(options.endpoint)
        return _on_endpoint(endpoint, options, more, python, runtime)
    programs = installed("ministack", MINISTACK, python)
    with ministack.running(programs) as endpoint:
        return _on_endpoint(endpoint, options, more, python, runtime)


def _on_endpoint(
    endpoint: str, options: argparse.Namespace, more: Sequence[str], python: str, runtime: str
) -> int:
    """An emulator: what runs there runs on this machine."""
    said = ministack.health(endpoint)
    name = f"ministack {said['version']}" if said else "an emulator"
    print(f"--- {name} at {endpoint}", flush=True)
    if options.existing:
        deployed = Deployed(options.stack, endpoint, ministack.CREDENTIALS)
    else:
        deployed = _deploy_copy(endpoint, options.stack, python, runtime, is_ministack=said is not None)
    if said:
        print(*(f"    not checked: {skipped}" for skipped in ministack.SKIPPED), sep="\n")
    return _try(deployed, more, is_ministack=said is not None)


def _deploy_copy(endpoint: str, stack: str, python: str, runtime: str, *, is_ministack: bool) -> Deployed:
    copy = TemplateCopy()
    copy.serve_scenarios()
    copy.build_for(
        architecture="arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64", runtime=runtime
    )
    if is_ministack:
        copy.leave_out_metric_math()
        copy.use_numbers()
        copy.buffer_responses()
        copy.name_batches()
        copy.require_no_usage_key()
        copy.name_secrets()
    sam = _sam(python, {**ministack.CREDENTIALS, "AWS_ENDPOINT_URL": endpoint})
    _build(sam, copy)
    if is_ministack:
        copy.changes.append(ministack.compile_once(sam.python))
        copy.changes.append(ministack.give_stream_function_its_layers())
    _deploy(sam, stack)
    deployed = Deployed(stack, endpoint, ministack.CREDENTIALS)
    if is_ministack:
        copy.changes.append(deployed.limit_bursts())
    print("    what was deployed differs from template.yaml in this:")
    print(*(f"    - {change}" for change in copy.changes), sep="\n", flush=True)
    return deployed


def _on_aws(options: argparse.Namespace, more: Sequence[str]) -> int:
    """The account that the environment's credentials open."""
    if options.deploy:
        python, runtime = functions_python()
        copy = TemplateCopy()
        if runtime != copy.runtime:
            raise ToolMissing(
                f"what is deployed to AWS is built by {copy.runtime}: PYTHON313=/path/to/python3.13 {sys.argv[0]}"
            )
        copy.serve_scenarios()
        sam = _sam(python, {})
        _build(sam, copy)
        _deploy(sam, options.stack)
    print(f"--- the stack {options.stack} on AWS", flush=True)
    return _try(Deployed(options.stack, None, {}), more, is_ministack=False)


def _sam(python: str, environment: Mapping[str, str]) -> Sam:
    return Sam(installed("e2e-sam", SAM, python), installed("e2e-functions", "pip", python), environment)


def _build(sam: Sam, copy: TemplateCopy) -> None:
    print("--- sam build", flush=True)
    sam.build(copy)


def _deploy(sam: Sam, stack: str) -> None:
    print(f"--- sam deploy, as {stack}", flush=True)
    sam.deploy(stack)


def _try(deployed: Deployed, more: Sequence[str], *, is_ministack: bool) -> int:
    org, stranger = orgs = [f"e2e-{uuid4().hex[:12]}" for _ in range(2)]
    usage_key: str | None = None
    try:
        # One org is counted by itself, the other with the key that is there for all.
        usage_key = deployed.enroll(stranger)
        print(f"{'':5}an org is put in a usage plan … passed", flush=True)
        described = {
            "FLOWSTRAND_E2E_URL": deployed.url,
            "FLOWSTRAND_E2E_ORG": org,
            "FLOWSTRAND_E2E_API_KEY": deployed.create_key(org),
            "FLOWSTRAND_E2E_STRANGERS_KEY": deployed.create_key(stranger),
            "FLOWSTRAND_E2E_MINISTACK": "1" if is_ministack else "",
        }
        print(f"--- the scenarios, at {deployed.url}", flush=True)
        passed = _run_scenarios(described, more)
    finally:
        for name in orgs:
            deployed.revoke_keys(name)
        if usage_key is not None:
            deployed.disenroll(stranger, usage_key)
    return 0 if _looks_well(deployed, passed=passed) else 1


def _run_scenarios(environment: Mapping[str, str], more: Sequence[str]) -> bool:
    """Whether all have passed."""
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "tests/aws", "-qq", "--tb=short"),
            *("-p", "no:cacheprovider", "-p", "tests.aws.reporter", *more),
        ],
        cwd=ROOT,
        env={**os.environ, **environment},
        check=False,
    )
    return ended.returncode == 0


def _looks_well(deployed: Deployed, *, passed: bool) -> bool:
    """What operators would see: nothing was given up, and nobody lacked a right. Whether nothing failed at all."""
    dead, denied = deployed.dead_letters(), list(deployed.log_lines("AccessDenied"))
    print(f"{'':5}no message was given up … {f'failed: {dead}' if dead else 'passed'}")
    print(f"{'':5}no function was denied anything … {'failed' if denied else 'passed'}", flush=True)
    if passed and not dead and not denied:
        return True
    lines = denied or list(deployed.log_lines('"ERROR"|Task timed out|Traceback'))
    print(f"--- what functions logged (the last {_LOG_LINES} of {len(lines)} lines)")
    print(*map(summary, lines[-_LOG_LINES:]), sep="\n")
    print(f"--- more in {ministack.LOG.parent.relative_to(ROOT)}/")
    return False


def _named(endpoint: str) -> str:
    """`localstack` is wherever LocalStack's own configuration says it is."""
    return str(get_service_endpoint("cloudformation")) if endpoint == "localstack" else endpoint.rstrip("/")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="e2e",
        description="Build the stack, deploy it to an emulator that is started for it, and run the scenarios over HTTP.",
        epilog="Other options are pytest's: `./scripts/e2e -k s8`.",
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--endpoint", metavar="URL", help="an emulator that is running, or `localstack` for LocalStack's address"
    )
    place.add_argument("--aws", action="store_true", help="the account of the environment's credentials")
    parser.add_argument("--stack", default=_STACK, metavar="NAME", help=f"its name (default: {_STACK})")
    parser.add_argument(
        "--existing", action="store_true", help="with --endpoint: try a stack that is there already"
    )
    parser.add_argument(
        "--deploy", action="store_true", help="with --aws: build and deploy the stack first, which costs money"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
