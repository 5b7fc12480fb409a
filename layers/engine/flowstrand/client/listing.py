"""Listing executions: the part of both clients that goes through all there are."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from datetime import datetime
from typing import Literal, TypeAlias, TypedDict, Unpack

from flowstrand.client.base import Base, SyncBase
from flowstrand.client.connection import Connection
from flowstrand.client.listed import ListedExecution
from flowstrand.client.pages import Pages, each, each_sync
from flowstrand.errors import InvalidDefinition

Status: TypeAlias = Literal["PENDING", "RUNNING", "WAITING", "CANCELLING", "COMPLETED", "FAILED", "CANCELLED"]


class ListOptions(TypedDict, total=False):
    """Which executions are asked for; all that is given must hold.

    Attributes:
        metadata: keys and what their values are, as text: of a value that is no text, its JSON. At most ten.
        created_after: at this moment or later; aware, or RFC 3339.
        created_before: earlier than this moment.
        page_size: how many are asked for at once; 1 to 100.
    """

    status: Status
    kind: str
    metadata: Mapping[str, str]
    created_after: datetime | str
    created_before: datetime | str
    page_size: int


class Listing(Base):
    """`executions`."""

    def executions(self, **options: Unpack[ListOptions]) -> AsyncGenerator[ListedExecution]:
        """Executions, the newest first: those that `ListOptions` ask for. A page is fetched when it is needed.

        The list lags behind the executions by a second or less. One that begins meanwhile may not be among them.

        Raises:
            TypeError: there is no such option.
            InvalidDefinition: a moment has no time zone.
        """
        return each(self._answer, _pages(self.connection, **options))


class SyncListing(SyncBase):
    """The same, synchronously."""

    def executions(self, **options: Unpack[ListOptions]) -> Generator[ListedExecution]:
        """See `Client.executions`."""
        return each_sync(self._answer, _pages(self.connection, **options))


def _pages(to: Connection, **options: Unpack[ListOptions]) -> Pages[ListedExecution]:
    if unknown := options.keys() - ListOptions.__annotations__.keys():
        raise TypeError(f"there is no option {', '.join(sorted(unknown))}")
    params = {f"metadata.{key}": text for key, text in options.get("metadata", {}).items()}
    if (status := options.get("status")) is not None:
        params["status"] = status
    if (kind := options.get("kind")) is not None:
        params["kind"] = kind
    if (after := options.get("created_after")) is not None:
        params["createdAfter"] = _moment(after)
    if (before := options.get("created_before")) is not None:
        params["createdBefore"] = _moment(before)
    if (size := options.get("page_size")) is not None:
        params["limit"] = str(size)
    path = to.path("workflow-executions")
    return Pages(path=path, items="executions", read=ListedExecution.of, by="cursor", params=params)


def _moment(moment: datetime | str) -> str:
    if isinstance(moment, str):
        return moment
    if moment.tzinfo is None:
        raise InvalidDefinition("a moment of creation needs a time zone")
    return moment.isoformat()
