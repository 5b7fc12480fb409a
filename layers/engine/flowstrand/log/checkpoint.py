"""Checkpoints: the folded state, stored in some commits, so that a handler need not read the history (law 11)."""

from __future__ import annotations

from flowstrand.engine.schema import from_json, to_json
from flowstrand.engine.state import ExecutionState
from flowstrand.errors import LogCorrupted
from flowstrand.log.packing import pack_json, unpack_json

CHECKPOINT_VERSION = 1


def pack_checkpoint(state: ExecutionState) -> bytes:
    """`state`, packed with a version."""
    return pack_json({"v": CHECKPOINT_VERSION, "state": to_json(state)})


def unpack_checkpoint(packed: bytes) -> ExecutionState:
    """The inverse of `pack_checkpoint`.

    Raises:
        LogCorrupted: it is damaged, or of a version this code does not know.
    """
    stored = unpack_json(packed)
    try:
        if stored["v"] != CHECKPOINT_VERSION:
            raise ValueError(f"unknown checkpoint version {stored['v']!r}")
        return from_json(ExecutionState, stored["state"])
    except (KeyError, TypeError, ValueError) as error:
        raise LogCorrupted(f"a checkpoint cannot be read: {error}") from error
