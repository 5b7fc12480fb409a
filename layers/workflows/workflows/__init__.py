"""The workflows that are deployed with the stack: replace these examples with your own.

Every workflow and task that this package names is served: by the resumer (workflows), and by workers started with
`--app workflows` (tasks). A log knows them by their `name`s, so modules may be moved and renamed freely.
"""

from workflows.failing_task import always_fails, catch_failure
from workflows.order import PlaceOrder
from workflows.order_tasks import charge_card, reserve_stock, ship
from workflows.parent_child import child, greet, parent

__all__ = [
    "PlaceOrder",
    "always_fails",
    "catch_failure",
    "charge_card",
    "child",
    "greet",
    "parent",
    "reserve_stock",
    "ship",
]
