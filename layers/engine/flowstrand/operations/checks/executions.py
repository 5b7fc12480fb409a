"""What the executions themselves show: that something stalls, that the projector lags, that an import was broken off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from flowstrand.engine.schema import rfc3339
from flowstrand.operations import import_claims
from flowstrand.operations.checks.finding import Finding, Probe, Severity
from flowstrand.operations.stalled import Survey, survey
from flowstrand.service.container import Services
from flowstrand.service.stalls import Patience, Stall

_SHOWN = 20
"""Findings of one code that are told one by one."""
_SEVERITIES = {"ROW_ABANDONED": Severity.INFO, "TASK_WAITING": Severity.WARNING}
_REMEDIES = {
    "STALLED": "see that the workflow's code is deployed, and the resumer's logs; then `flowstrand redrive --wake`",
    "OVERDUE": "see whether the control queue is worked off; then `flowstrand redrive --wake`",
    "END_UNTOLD": "see the resumer's logs; then `flowstrand redrive --wake`",
    "TASK_WAITING": "see `flowstrand workers` and whether the queue is paused: `flowstrand queue get`",
    "LOG_UNREADABLE": "keep the log as it is, restore the table to a point before the damage beside it, and compare the two",
    "ROW_ABANDONED": "nothing: the sweep removes it",
}


def probes(services: Services, patience: Patience, *, most: int) -> Iterator[Probe]:
    """Two looks."""
    yield Probe(subject="open executions", look=lambda: _found(survey(services, patience, most=most), patience))
    yield Probe(subject="imports", look=lambda: _imports(services))


def _found(found: Survey, patience: Patience) -> Iterator[Finding]:
    told: Counter[str] = Counter()
    for stall in found.stalls:
        told[stall.code] += 1
        if told[stall.code] <= _SHOWN:
            yield _of(stall)
    for code, count in told.items():
        if count > _SHOWN:
            yield _more(code, count - _SHOWN)
    if found.lagging:
        yield Finding(
            code="PROJECTOR_LAG",
            severity=Severity.WARNING,
            subject="the projector",
            message=f"the listing and the feeds lag behind {found.lagging} logs, by up to {found.lag_ms // 1_000} s "
            f"(more than {patience.lag_ms // 1_000} s)",
            remedy="see the projector's logs and the iterator age of its event source mappings",
        )
    if not found.is_all:
        yield Finding(
            code="SAMPLED",
            severity=Severity.INFO,
            subject="open executions",
            message=f"there are more than the {found.looked_at} that were looked at",
            remedy="give a larger --most to look at more",
        )


def _of(stall: Stall) -> Finding:
    return Finding(
        code=stall.code,
        severity=_SEVERITIES.get(stall.code, Severity.ERROR),
        subject=str(stall.key),
        message=stall.message,
        remedy=_REMEDIES[stall.code],
    )


def _more(code: str, count: int) -> Finding:
    return Finding(
        code=code,
        severity=_SEVERITIES.get(code, Severity.ERROR),
        subject="open executions",
        message=f"and {count} more",
        remedy=_REMEDIES[code],
    )


def _imports(services: Services) -> Iterator[Finding]:
    for claim in import_claims.every(services.directory):
        yield Finding(
            code="IMPORT_UNFINISHED",
            severity=Severity.WARNING,
            subject=str(claim.key),
            message=f"an import of it began at {rfc3339(claim.since_ms)} and has not ended",
            remedy="if none is under way, import the same file again",
        )
