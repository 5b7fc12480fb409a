"""`Finding`: one fault, where it is, and what to write instead."""

from __future__ import annotations

from flowstrand.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call on the way from a workflow to the fault: which function, and the line that leads into it."""

    function: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule broken at a place.

    Attributes:
        path: as the file was named or found.
        line: from 1.
        column: from 1, in characters.
        end_line: the last line of the faulty expression; a suppression may stand on any of them.
        rule: its id, `FS101`.
        what: the faulty code, in a few words.
        use: what to write instead.
        where: the workflow that runs it, `workflow "order"`; None where none is concerned.
        trace: the calls that lead from the workflow to it, outermost first; empty for its own body.
    """

    path: str
    line: int
    column: int
    end_line: int
    rule: str
    what: str
    use: str
    where: str | None = None
    trace: tuple[Step, ...] = ()

    @property
    def message(self) -> str:
        """`datetime.now() in workflow "order": use ctx.current_time()`, with the calls that lead to it."""
        where = "" if self.where is None else f" in {self.where}"
        by = " → ".join(f"{step.function}() at line {step.line}" for step in self.trace)
        return f"{self.what}{where}{f' (by {by})' if by else ''}: {self.use}"

    @property
    def order(self) -> tuple[str, int, int, str]:
        """Findings are told in this order."""
        return (self.path, self.line, self.column, self.rule)
