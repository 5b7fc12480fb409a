from datetime import datetime
from random import random

from flowstrand import WorkflowContext, workflow


@workflow
async def excused(ctx: WorkflowContext) -> list[object]:
    return [
        datetime.now(),  # flowstrand: allow[FS101] goes to the log file only
        # flowstrand: allow[FS101] the comment above a line speaks of it
        datetime.now(),
        # flowstrand: allow[FS101] even with
        # another comment between
        datetime.now(),
        (datetime.now(), random()),  # flowstrand: allow[FS101, FS102] both
        (datetime.now(), random()),  # flowstrand: allow[FS101] only one # expect: FS102
        datetime.now(
            # flowstrand: allow[FS101] on any line of the expression
        ),
        datetime.now(),  # flowstrand: allow[FS101] # expect: FS101, FS002
        random(),  # flowstrand: allow[FS101] the wrong rule # expect: FS102
        "# flowstrand: allow[FS101]",
    ]


@workflow
async def badly_excused(ctx: WorkflowContext) -> list[object]:
    return [
        datetime.now(),  # flowstrand: allow[FS999] there is no such rule # expect: FS101, FS002
        datetime.now(),  # flowstrand: allow because # expect: FS101, FS002
        datetime.now(),  # flowstrand: allow[] because # expect: FS101, FS002
    ]
