"""A parser of `text/event-stream`, written from the WHATWG HTML standard, section 9.2.6, and nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Dispatched:
    """An event as an `EventSource` dispatches it."""

    last_event_id: str
    type: str
    data: str


@dataclass
class EventSource:
    """What a browser keeps: the events it dispatched, its last event id, and its reconnection time."""

    last_event_id: str = ""
    reconnection_ms: int | None = None
    events: list[Dispatched] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    def receive(self, stream: bytes) -> None:
        """One connection's whole stream. What is incomplete at its end is discarded."""
        text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        id_buffer, type_buffer, data_buffer = self.last_event_id, "", ""
        *lines, _unfinished = text.split("\n")
        for line in lines:
            if not line:
                self.last_event_id = id_buffer
                if data_buffer:
                    event = Dispatched(id_buffer, type_buffer or "message", data_buffer.removesuffix("\n"))
                    self.events.append(event)
                type_buffer, data_buffer = "", ""
                continue
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            match name:
                case "":
                    self.comments.append(value)
                case "event":
                    type_buffer = value
                case "data":
                    data_buffer += value + "\n"
                case "id" if "\0" not in value:
                    id_buffer = value
                case "retry" if value.isascii() and value.isdigit():
                    self.reconnection_ms = int(value)
                case _:
                    pass


def parse(stream: bytes) -> list[Dispatched]:
    """The events of one stream."""
    source = EventSource()
    source.receive(stream)
    return source.events
