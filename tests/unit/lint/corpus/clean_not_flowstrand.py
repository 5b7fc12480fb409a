import random
import time
from datetime import datetime

from elsewhere import task, workflow


@workflow
async def of_another_library(ctx) -> datetime:
    time.sleep(1)
    return datetime.now()


@task
def roll() -> float:
    return random.random()


class Workflow:
    async def run(self, ctx) -> None:
        time.sleep(1)
