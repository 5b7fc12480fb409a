"""`flowstrand lint`: finds code in workflows that would not replay, without running any of it.

    files → Module (tree, scopes) → entry points → what they reach → rules → findings

It reads one file at a time: it follows calls within a module, and takes every function that is given a `WorkflowContext`
for workflow code. In doubt it is silent; what it misses, the engine refuses when the code runs.
"""

from flowstrand.lint.checking import check_file, check_source
from flowstrand.lint.finding import Finding, Step
from flowstrand.lint.formats import Format, render

__all__ = ["Finding", "Format", "Step", "check_file", "check_source", "render"]
