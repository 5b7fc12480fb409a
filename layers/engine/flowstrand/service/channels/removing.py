"""Removing a channel: `DELETE`."""

from __future__ import annotations

from flowstrand.directory.port import PreconditionFailed
from flowstrand.engine.ids import OrgId
from flowstrand.errors import Unavailable
from flowstrand.service.channels import abandoned, rows, standing
from flowstrand.service.container import Services

_TRIES = 8


def remove(services: Services, org: OrgId, name: str) -> None:
    """Remove the channel of this name; the name is free again. Who is reading it may still see it to where it ends.

    Raises:
        NotFound: there is none (`CHANNEL_NOT_FOUND`).
        Unavailable: the name changes hands too fast (`BUSY`).
    """
    for _ in range(_TRIES):
        found = standing.require(services, org, name)
        abandoned.remember(services, found.channel.key)
        try:
            rows.remove(services.directory, found.channel)
        except PreconditionFailed:
            continue
        return
    raise Unavailable(f"channel {name} is being made and removed; try again", code="BUSY", retry_after_s=1)
