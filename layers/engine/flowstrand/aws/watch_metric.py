"""The metric of the watch, on which the alarm `StalledExecutionsAlarm` hangs."""

from __future__ import annotations

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from flowstrand.aws.commit_changes import NAMESPACE
from flowstrand.service.watch import Watched

STALLED_EXECUTIONS = "StalledExecutions"
"""How many of the open executions that were looked at stall."""


def report(watched: Watched) -> None:
    """Write the metric, unless nothing stalls: where it is missing, the alarm is quiet."""
    if watched.stalled:
        with single_metric(STALLED_EXECUTIONS, MetricUnit.Count, watched.stalled, namespace=NAMESPACE):
            pass
