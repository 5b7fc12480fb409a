"""A channel against a model of it: whatever is sent to it, in whatever order, it answers and holds what the model does."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flowstrand.engine.ids import OrgId
from flowstrand.errors import Conflict, InvalidInput, NotFound
from flowstrand.log.rows import RowLog
from flowstrand.service.channels import appending, opening, reading, removing, standing
from flowstrand.service.channels.appending import Appended, Closed, Early, Fenced, Message, Repeated
from flowstrand.service.channels.opening import Wanted
from flowstrand.service.channels.producers import REMEMBERED, Claim, Duplicate, Missing, New, judge, remember
from flowstrand.service.settings import Settings
from flowstrand.service.turnstile import OpenTurnstile
from tests.support.memory_stores import Disk, MemoryDirectory, MemoryPayloads, MemoryRows

ORG = OrgId("acme")
NAME = "chat"
JSON, BYTES = "application/json", "application/octet-stream"


class Clock:
    def now_ms(self) -> int:
        return 1_795_435_200_000

    def sleep_ms(self, duration_ms: float) -> None:
        raise AssertionError("nobody is in the way")


class Somewhere:
    """What channels use of `Services`."""

    def __init__(self) -> None:
        disk = Disk()
        numbers = count()
        self.log = RowLog(MemoryRows(disk))
        self.directory = MemoryDirectory(disk)
        self.payloads = MemoryPayloads(disk)
        self.clock = Clock()
        self.turnstile = OpenTurnstile()
        self.settings = Settings(inline_payload_bytes=8)
        self.random_bytes = lambda length: hashlib.shake_128(str(next(numbers)).encode()).digest(length)


@dataclass
class Model:
    """What a channel is."""

    content_type: str
    bodies: list[bytes] = field(default_factory=list)
    is_closed: bool = False
    last_seq: str | None = None
    producers: dict[str, tuple[int, int]] = field(default_factory=dict)

    def post(self, message: Message) -> str:
        """What comes of it."""
        if not message.body and not message.closes:
            return "invalid"
        if message.body and message.content_type != self.content_type:
            return "conflict"
        claim = message.claim
        refused = None if claim is None else self.judge(claim)
        if refused is not None:
            return refused
        if self.is_closed:
            return "repeated" if claim is None and not message.body else "closed"
        if message.seq is not None and self.last_seq is not None and message.seq <= self.last_seq:
            return "conflict"
        self.last_seq = message.seq or self.last_seq
        self.is_closed = message.closes
        if claim is not None:
            self.producers[claim.producer] = claim.epoch, claim.sequence
        if message.body:
            self.bodies.append(message.body)
        return "appended"

    def judge(self, claim: Claim) -> str | None:
        """What comes of a producer's request that is not its next."""
        epoch, last = self.producers.get(claim.producer, (claim.epoch, -1))
        if claim.epoch < epoch:
            return "fenced"
        if claim.epoch > epoch:
            return "invalid" if claim.sequence else None
        if claim.sequence <= last:
            return "repeated"
        if claim.sequence > last + 1:
            return "closed" if self.is_closed else "early"
        return None


OUTCOMES: dict[type[Any], str] = {
    Appended: "appended",
    Repeated: "repeated",
    Closed: "closed",
    Fenced: "fenced",
    Early: "early",
}
CLAIMS = st.builds(Claim, st.sampled_from("pq"), st.integers(0, 2), st.integers(0, 3))
MESSAGES = st.builds(
    Message,
    body=st.sampled_from([b"", b"1", b"[2,3]", b'{"long":"enough to be kept elsewhere"}']),
    content_type=st.sampled_from([JSON, BYTES]),
    closes=st.sampled_from([False] * 9 + [True]),
    seq=st.sampled_from([None, None, "1", "10", "2"]),
    claim=st.none() | CLAIMS,
)


def post(services: Any, message: Message) -> str:
    try:
        return OUTCOMES[type(appending.append_message(services, ORG, NAME, message))]
    except InvalidInput:
        return "invalid"
    except Conflict:
        return "conflict"


def everything(services: Any, *, after: int = 0) -> list[bytes]:
    """All bodies behind a position, page by page."""
    channel = standing.require(services, ORG, NAME).channel
    found: list[bytes] = []
    while True:
        page = reading.page(services, channel, after=after)
        found += page.bodies
        after = page.next_after
        if page.up_to_date:
            return found


@given(type=st.sampled_from([JSON, BYTES]), sent=st.lists(MESSAGES, max_size=25))
@settings(deadline=None, max_examples=150)
def test_a_channel_answers_and_holds_what_its_model_does(type: str, sent: list[Message]) -> None:
    services: Any = Somewhere()
    opening.open_channel(services, ORG, NAME, Wanted(content_type=type))
    model = Model(type)
    ends = [1]

    for message in sent:
        assert post(services, message) == model.post(message)
        ends.append(standing.require(services, ORG, NAME).sequence)

    assert ends == sorted(ends)
    found = everything(services)
    if type == BYTES:
        assert found == model.bodies
    else:
        messages = [one for body in found for one in json.loads(b"[" + body + b"]")]
        expected = [json.loads(body) for body in model.bodies]
        assert messages == [one for value in expected for one in (value if isinstance(value, list) else [value])]
    state = standing.require(services, ORG, NAME).state
    assert (state.is_closed, state.last_seq) == (model.is_closed, model.last_seq)
    assert {one.producer: (one.epoch, one.sequence) for one in state.producers} == model.producers
    assert state.size == sum(map(len, found))


@given(sent=st.lists(st.sampled_from([b"a", b"bc"]), max_size=8), at=st.integers(0, 8))
@settings(deadline=None, max_examples=50)
def test_a_channel_made_again_begins_again(sent: list[bytes], at: int) -> None:
    services: Any = Somewhere()
    since: list[bytes] = []
    opening.open_channel(services, ORG, NAME, Wanted(content_type=BYTES))
    for number, body in enumerate(sent):
        if number == at:
            removing.remove(services, ORG, NAME)
            try:
                appending.append_message(services, ORG, NAME, Message(body=body, content_type=BYTES))
                raise AssertionError("there is none")
            except NotFound:
                since = []
            opening.open_channel(services, ORG, NAME, Wanted(content_type=BYTES))
        appending.append_message(services, ORG, NAME, Message(body=body, content_type=BYTES))
        since.append(body)
    assert everything(services) == since


def test_of_many_producers_the_longest_silent_is_forgotten_and_must_begin_again() -> None:
    known: tuple[Claim, ...] = ()
    for number in range(REMEMBERED + 1):
        known = remember(known, Claim(f"p-{number}", 0, 0))
    known = remember(known, Claim("p-1", 0, 1))

    assert len(known) == REMEMBERED
    assert judge(known, Claim("p-0", 0, 1)) == Missing(0)
    assert judge(known, Claim("p-0", 0, 0)) == New()
    assert judge(known, Claim("p-1", 0, 0)) == Duplicate(Claim("p-1", 0, 1))
