"""Names that only look like what the rules know."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import UUID

import httpx
import requests

from flowstrand import WorkflowContext, workflow


class Clock:
    def now(self) -> str:
        return "noon"

    def sleep(self) -> None: ...


def open(path: str) -> str:
    return path


@workflow
async def shadows(ctx: WorkflowContext, datetime: Clock, uuid4, print) -> object:
    datetime.now()
    uuid4()
    open("x")
    time = Clock()
    time.sleep()
    for random in range(3):
        random.bit_length()
    return print(uuid4)


@workflow
async def harmless(ctx: WorkflowContext, stamp: float, requests: list[str]) -> list[object]:
    requests.append("x")
    own = random.Random(ctx.random_uuid().int)
    try:
        await ctx.sleep(timedelta(days=30))
    except (httpx.HTTPError, asyncio.TimeoutError) as error:
        if isinstance(error, httpx.TimeoutException):
            raise ValueError(requests) from error
    return [
        datetime.fromtimestamp(stamp),
        datetime(2026, 1, 1) + timedelta(days=1),
        datetime.strptime("2026", "%Y"),
        time.gmtime(stamp),
        time.strftime("%Y", time.gmtime(stamp)),
        UUID("0" * 32),
        own.choice([1, 2]),
        ctx.random.random(),
        ctx.random_uuid(),
        ctx.current_time(),
        quote("x"),
        httpx.URL("https://example.org").join("x"),
        hash_of(stamp),
    ]


def hash_of(stamp: float) -> float:
    return stamp


@workflow
async def unknown_coroutines(ctx: WorkflowContext, handles) -> None:
    from somewhere import charge_everyone, policy

    await charge_everyone(ctx, policy)
    for handle in handles:
        await handle
    await handles[0].result()
    if requests.codes.ok:
        return
