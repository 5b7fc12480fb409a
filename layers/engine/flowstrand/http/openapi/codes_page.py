"""The table of codes in the page about the API."""

from __future__ import annotations

import re

from flowstrand.http.openapi.refusals import every_refusal

_BETWEEN = re.compile(r"(<!-- codes: [^\n]*-->\n).*?(<!-- end of codes -->)", re.DOTALL)


def table() -> str:
    """Every code, its status and what it means."""
    rows = [f"| {refusal.status} | `{refusal.code}` | {refusal.meaning} |" for refusal in every_refusal()]
    return "\n".join(["| status | code | |", "|---|---|---|", *rows]) + "\n"


def with_table(page: str) -> str:
    """The page, with the table as it is now.

    Raises:
        ValueError: the page does not say where the table goes.
    """
    if not _BETWEEN.search(page):
        raise ValueError("the page has no place for the table of codes")
    return _BETWEEN.sub(lambda found: f"{found[1]}\n{table()}\n{found[2]}", page)
