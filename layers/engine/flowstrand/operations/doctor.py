"""`examine`: every check of a place, one after the other; none keeps another from being made."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from flowstrand.dataclass import dataclass
from flowstrand.errors import FlowstrandError
from flowstrand.operations.checks import callers, executions, functions, permissions, queues, storage, tables
from flowstrand.operations.checks.finding import Finding, Probe, Severity
from flowstrand.operations.place import Place
from flowstrand.operations.refusals import is_not_allowed
from flowstrand.service.stalls import Patience

_ORDER = list(Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What was found.

    Attributes:
        findings: the worst first.
        looks: how many looks were taken, refused ones included.
    """

    findings: tuple[Finding, ...]
    looks: int

    @property
    def is_healthy(self) -> bool:
        """Whether there is nothing to do about what could be looked at."""
        return not self._any(Severity.ERROR, Severity.WARNING)

    @property
    def is_complete(self) -> bool:
        """Whether everything could be looked at."""
        return not self._any(Severity.UNCHECKED)

    def _any(self, *severities: Severity) -> bool:
        return any(finding.severity in severities for finding in self.findings)


def examine(place: Place, patience: Patience, *, most: int, backlog: int) -> Diagnosis:
    """Look at everything.

    Args:
        most: open executions that are looked at.
        backlog: messages that may wait in a queue.
    """
    findings: list[Finding] = []
    looks = 0
    for probe in _probes(place, patience, most=most, backlog=backlog):
        looks += 1
        findings += _taken(probe)
    findings.sort(key=lambda finding: _ORDER.index(finding.severity))
    return Diagnosis(findings=tuple(findings), looks=looks)


def _probes(place: Place, patience: Patience, *, most: int, backlog: int) -> Iterator[Probe]:
    if place.stack is not None:
        yield from tables.probes(place.stack)
        yield from queues.probes(place.stack, backlog=backlog)
        yield from functions.probes(place.stack)
        yield from permissions.probes(place.stack)
        yield from callers.probes(place.stack)
        yield from storage.bucket_probes(place.stack)
    if place.data is not None:
        yield from storage.folder_probes(place.data)
    yield from executions.probes(place.services, patience, most=most)


def _taken(probe: Probe) -> list[Finding]:
    """What a look finds, or that it could not be taken, and whether that is a matter of rights."""
    findings: list[Finding] = []
    try:
        findings += probe.look()
    except ClientError as error:
        findings.append(_unchecked(probe, error))
    except (BotoCoreError, FlowstrandError) as error:
        findings.append(_not_now(probe, str(error)))
    return findings


def _unchecked(probe: Probe, error: ClientError) -> Finding:
    if not is_not_allowed(error):
        return _not_now(probe, str(error))
    return Finding(
        code="NOT_ALLOWED",
        severity=Severity.UNCHECKED,
        subject=probe.subject,
        message=f"these credentials may not call {error.operation_name}",
        remedy="allow it, or have somebody look who may",
    )


def _not_now(probe: Probe, why: str) -> Finding:
    return Finding(
        code="NOT_CHECKED",
        severity=Severity.UNCHECKED,
        subject=probe.subject,
        message=f"it could not be looked at: {' '.join(why.split())}",
        remedy="try again",
    )
