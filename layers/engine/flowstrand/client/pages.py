"""Routes that list: what they are asked, page by page, and every item of all their pages."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from dataclasses import field
from typing import Any, Generic, Literal, TypeVar

from flowstrand.client.call import Call
from flowstrand.dataclass import dataclass
from flowstrand.jsonvalue import JsonObject, JsonValue

ItemT = TypeVar("ItemT")

_NEXT = {"after": "nextAfter", "cursor": "nextCursor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages(Generic[ItemT]):
    """The pages of one list.

    Attributes:
        path: of the route.
        items: the field of an answer that has the items.
        read: makes an item of its JSON.
        by: the parameter that says where a page begins; an answer has the next one's in `nextAfter` or `nextCursor`.
        params: of every request.
    """

    path: str
    items: str
    read: Callable[[Mapping[str, JsonValue]], ItemT]
    by: Literal["after", "cursor"] = "after"
    params: dict[str, str] = field(default_factory=dict)

    def request(self, start: str | None) -> Call:
        """The page that begins there; None for the first."""
        params = self.params if start is None else {**self.params, self.by: start}
        return Call(method="GET", path=self.path, params=params, repeatable=True)

    def of(self, answer: JsonObject) -> list[ItemT]:
        """The items of a page."""
        bodies: Any = answer[self.items]
        return [self.read(body) for body in bodies]

    def next_of(self, answer: JsonObject) -> str | None:
        """Where the next page begins; None behind the last."""
        following = answer.get(_NEXT[self.by])
        return None if following is None else str(following)


async def each(answer: Callable[[Call], Awaitable[JsonObject]], pages: Pages[ItemT]) -> AsyncGenerator[ItemT]:
    """Every item; a page is asked for when the one before has been taken."""
    page = await answer(pages.request(None))
    while True:
        for item in pages.of(page):
            yield item
        start = pages.next_of(page)
        if start is None:
            return
        page = await answer(pages.request(start))


def each_sync(answer: Callable[[Call], JsonObject], pages: Pages[ItemT]) -> Generator[ItemT]:
    """The same, synchronously."""
    page = answer(pages.request(None))
    while True:
        yield from pages.of(page)
        start = pages.next_of(page)
        if start is None:
            return
        page = answer(pages.request(start))
