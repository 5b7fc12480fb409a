import os
import random
import random as r
import secrets
import uuid
from random import choice, shuffle
from secrets import token_hex as make_token
from uuid import uuid4
from uuid import uuid4 as new_id

import numpy as np

from flowstrand import WorkflowContext, workflow

SHARED = random.Random(7)


@workflow(name="chance")
class Chance:
    async def run(self, ctx: WorkflowContext, items: list[str]) -> list[object]:
        shuffle(items)  # expect: FS102
        return [
            random.random(),  # expect: FS102
            r.randint(1, 6),  # expect: FS102
            choice(items),  # expect: FS102
            random.Random().random(),  # expect: FS102
            random.SystemRandom().choice(items),  # expect: FS104
            np.random.rand(3),  # expect: FS102
            SHARED.random(),  # expect: FS102
            uuid.uuid4(),  # expect: FS103
            uuid.uuid1(),  # expect: FS103
            uuid4().hex,  # expect: FS103
            str(new_id()),  # expect: FS103
            os.urandom(16),  # expect: FS104
            secrets.token_urlsafe(),  # expect: FS104
            make_token(8),  # expect: FS104
            sorted(items, key=lambda _: random.random()),  # expect: FS102
            self.identify(),
        ]

    def identify(self) -> str:
        return f"id-{uuid4()}"  # expect: FS103


@workflow
async def evaluates_an_argument_of_run(ctx: WorkflowContext) -> None:
    await ctx.run("save", save, uuid4())  # expect: FS103
    await ctx.run("save", save, id=uuid.uuid4())  # expect: FS103


def save(*_: object, **__: object) -> None:
    uuid4()
