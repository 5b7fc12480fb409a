"""Changing the code of executions that are under way."""

from __future__ import annotations

from flowstrand.engine.replay.matching import violation
from flowstrand.sdk import names
from flowstrand.sdk.context_base import ContextBase


class Versions(ContextBase):
    """`patched` and `deprecate_patch`."""

    def patched(self, patch: str) -> bool:
        """Whether this execution follows the code as it is since `patch`.

        True where the execution comes here for the first time: a marker in its log says so from then on. False where its log
        shows that it went on from here before the code had this patch. The answer stays what it is:

            if ctx.patched("charge-by-invoice"):
                await ctx.schedule(send_invoice, order)
            else:
                await ctx.schedule(charge_card, order)
        """
        return self._driver.is_patched(names.label(patch, "a patch"))

    def deprecate_patch(self, patch: str) -> None:
        """In place of `patched`, once the old code has been removed: refuses executions that would still need it.

        Raises:
            DeterminismViolation: this execution began before the patch; it fails with this, caught or not.
        """
        if not self.patched(patch):
            recorded = "went on from here without the patch"
            at = self._driver.delivered_to
            self._driver.violate(violation(f"patch {patch!r}", at, recorded, "has only what came with it"))
