"""Waking an execution: the one message that tells the resumer to look at a log."""

from __future__ import annotations

from flowstrand.log.port import LogKey
from flowstrand.queues.messages import Wake
from flowstrand.service.container import Services


def wake(services: Services, key: LogKey, sequence: int) -> None:
    """Wake an execution because of the commit at `sequence`."""
    services.control.send([Wake(org=key.org, execution_id=key.execution_id, sequence=sequence)])
