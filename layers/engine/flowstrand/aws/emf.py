"""Metrics as CloudWatch reads them out of logs: one line for all that was measured in an invocation (Embedded Metric Format).

Two dimensions, the service and the stack, so that what a metric costs does not grow with what is measured. Powertools' `Metrics`
keeps what it is told on a class, for all threads alike; here each line has a writer of its own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from aws_lambda_powertools.metrics import EphemeralMetrics

from flowstrand.observability.correlation import Ids
from flowstrand.observability.metrics import NAMESPACE, Metric

SERVICE = "flowstrand"
STACK = "FLOWSTRAND_STACK"
"""The environment variable that says which stack this is; the value of the dimension `stack`."""
_METADATA = ("function", "lambdaRequestId")
"""Of the ids, those that lead from a metric to its invocation. Properties of the line, and no dimensions."""


def write(taken: Mapping[Metric, list[float]], ids: Ids) -> None:
    """Write the line; none where nothing was measured."""
    if not taken:
        return
    line = EphemeralMetrics(namespace=NAMESPACE, service=SERVICE)
    line.add_dimension("stack", os.environ.get(STACK) or "local")
    for name in _METADATA:
        if name in ids:
            line.add_metadata(name, ids[name])
    for metric, values in taken.items():
        for value in values:
            line.add_metric(metric.name, metric.unit.value, value)
    if line.metric_set:  # a hundred values of one metric make Powertools write the line by itself
        line.flush_metrics()
