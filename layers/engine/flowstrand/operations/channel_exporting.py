"""Exporting channels: which there are, and each as a `ChannelHistory`. Reads only, and is no use of a channel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flowstrand.engine.ids import OrgId, is_channel_log
from flowstrand.errors import LogCorrupted, NotFound
from flowstrand.histories.channel import ChannelHistory, ChannelMaking, references_of
from flowstrand.log.inventory import LogInventory
from flowstrand.operations.channel_commits import appends_of
from flowstrand.service.channels import rows, standing
from flowstrand.service.channels.state import state_at
from flowstrand.service.container import Services


def export_channel(services: Services, org: OrgId, name: str) -> ChannelHistory:
    """The channel of this name, as far as its log goes by now.

    Raises:
        NotFound: `CHANNEL_NOT_FOUND`: there is none, or its time has run out.
        LogCorrupted: it has a gap, or a body is missing or damaged.
        StoreUnavailable: it could not be read.
    """
    channel = standing.require(services, org, name).channel
    try:
        appends = appends_of(services.log.read(channel.key, after=0))
    except LogCorrupted:
        standing.require_standing(services, channel)  # perhaps it has gone since
        raise
    payloads = {sha256: services.payloads.get(org, sha256) for sha256 in sorted(references_of(appends))}
    making = ChannelMaking(
        key=channel.key,
        name=channel.name,
        content_type=channel.content_type,
        ttl_s=channel.ttl_s,
        expires_at_ms=channel.expires_at_ms,
        created_at_ms=channel.created_at_ms,
    )
    return ChannelHistory(making=making, appends=appends, payloads=payloads)


def export_all(services: Services, logs: LogInventory, org: OrgId) -> Iterator[ChannelHistory]:
    """Every channel of an org, in no order that means anything: every log of the place is looked at for them."""
    for name in _names(services, logs, org):
        try:
            yield export_channel(services, org, name)
        except NotFound:
            continue  # it has gone since


def export_named(services: Services, org: OrgId, names: Iterable[str]) -> Iterator[ChannelHistory]:
    """Each of these channels, once. Raises as `export_channel` does."""
    return (export_channel(services, org, name) for name in dict.fromkeys(names))


def _names(services: Services, logs: LogInventory, org: OrgId) -> Iterator[str]:
    for key in logs.keys(org):
        tail = services.log.tail(key) if is_channel_log(key.execution_id) else None
        if tail is None or tail.expires_at_ms is not None:
            continue
        channel = rows.find(services.directory, org, state_at(tail).name)
        if channel is not None and channel.log == key.execution_id:
            yield channel.name
