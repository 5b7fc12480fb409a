"""What every store asks of writes that are to be done together, before it does any of them."""

from __future__ import annotations

from collections.abc import Sequence

from flowstrand.directory.port import MAX_TOGETHER, Write


def require_sound(writes: Sequence[Write]) -> None:
    """Refuse what not every store could do.

    Raises:
        ValueError: there are more than `MAX_TOGETHER`, or two for one item.
    """
    if len(writes) > MAX_TOGETHER:
        raise ValueError(f"{len(writes)} writes are more than {MAX_TOGETHER} together")
    if len({(write.partition, write.key) for write in writes}) < len(writes):
        raise ValueError("two writes are for one item")
