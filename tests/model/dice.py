"""What a seed decides about a whole run: how hostile the world is, and how small its limits are."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from flowstrand.service.settings import Settings


@dataclass(frozen=True, slots=True)
class Climate:
    """How a world treats those who live in it. Shares are of port calls or of deliveries, 0 to 1.

    Attributes:
        crash, unavailable: how likely a port call is to end its process, or to fail; both before or after it happened.
        crashes, failures: how many of each there are at most, so that every run comes to rest.
        switch: how likely another job is to run next at a port call.
        repeat: how likely a message is to be delivered twice, or its acknowledgement to be lost.
        hurry: how likely time is to jump ahead while there still is something to do.
        forgets: how likely, at each choice, all queues and timers are to be lost, as they are when the one process that holds
            them ends; it happens once at most.
    """

    processes: int
    jobs: int
    crash: float
    unavailable: float
    crashes: int
    failures: int
    switch: float
    repeat: float
    hurry: float
    forgets: float
    settings: Settings
    warm: int

    @classmethod
    def drawn(cls, random: Random) -> Climate:
        """A climate, from still to violent."""
        crashes = random.choice((0, 0, 1, 3, 8))
        failures = random.choice((0, 0, 2, 8))
        return cls(
            processes=random.choice((1, 2)),
            jobs=random.choice((1, 2, 3, 5)),
            crash=0.03 if crashes else 0.0,
            unavailable=0.05 if failures else 0.0,
            crashes=crashes,
            failures=failures,
            switch=random.choice((0.05, 0.3, 0.8)),
            repeat=random.choice((0.0, 0.05, 0.3)),
            hurry=random.choice((0.0, 0.02, 0.1)),
            forgets=random.choice((*(0.0,) * 12, 0.02, 0.0005, 0.0005)),
            settings=_settings(random),
            warm=random.choice((0, 1, 256)),
        )


def _settings(random: Random) -> Settings:
    return Settings(
        inline_payload_bytes=random.choice((40, 8_192)),
        max_commit_bytes=random.choice((700, 2_000, 256 * 1024)),
        checkpoint_bytes=random.choice((1, 300, 16 * 1024)),
        append_attempts_before_inbox=random.choice((1, 3)),
        inbox_wait_ms=2_000,
    )
