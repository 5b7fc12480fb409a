"""`ChildOptions`: on which terms a child workflow is run, as a call to `ctx.schedule_workflow` says."""

from __future__ import annotations

from typing import TypedDict

from flowstrand.dataclass import dataclass
from flowstrand.engine.events.vocabulary import ParentClosePolicy
from flowstrand.errors import InvalidDefinition
from flowstrand.sdk import names
from flowstrand.sdk.duration import Duration, to_positive_ms


class ChildKeywords(TypedDict, total=False):
    """The keywords of `ctx.schedule_workflow(...)`; see `ChildOptions`."""

    name: str | None
    id: str | None
    queue: str | None
    timeout: Duration | None
    parent_close_policy: ParentClosePolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildOptions:
    """Each is None where it is not said.

    Attributes:
        name: what this child is called in the parent's log; its kind by default.
        id: the child's execution id, unique in the org; by default one made of the parent's. If another execution has it, the
            child fails with `ALREADY_EXISTS`.
        queue: the child's queue; by default the workflow's own, else the parent's.
        timeout: seconds or a timedelta from its start to its end; a child that is open by then fails.
        parent_close_policy: what becomes of it if it is open when its parent ends: it is asked to cancel, ended at once, or
            left to go on.

    Raises:
        InvalidDefinition: a value is out of range.
    """

    name: str | None = None
    id: str | None = None
    queue: str | None = None
    timeout: Duration | None = None
    parent_close_policy: ParentClosePolicy = ParentClosePolicy.CANCEL

    def __post_init__(self) -> None:
        if self.name is not None:
            names.label(self.name, "a child workflow")
        if self.id is not None:
            names.execution_id(self.id)
        if not isinstance(self.parent_close_policy, ParentClosePolicy):
            raise InvalidDefinition(f"{self.parent_close_policy!r} is not a ParentClosePolicy")
        _ = self.timeout_ms

    @property
    def timeout_ms(self) -> int | None:
        """The timeout in milliseconds."""
        return None if self.timeout is None else to_positive_ms(self.timeout, "the timeout of a child workflow")
