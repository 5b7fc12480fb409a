import os
import platform
import socket
from os import environ, getenv

from flowstrand import WorkflowContext, workflow


@workflow
async def reads_the_environment(ctx: WorkflowContext, key: str) -> list[object]:
    if "DEBUG" in os.environ:  # expect: FS105
        ctx.logger.info("debugging")
    return [
        os.environ["HOME"],  # expect: FS105
        os.environ.get("HOME"),  # expect: FS105
        environ["HOME"],  # expect: FS105
        os.getenv("HOME"),  # expect: FS105
        getenv("HOME", "/"),  # expect: FS105
        os.getpid(),  # expect: FS105
        platform.node(),  # expect: FS105
        socket.gethostname(),  # expect: FS105
        hash(key) % 2,  # expect: FS105
        id(key),  # expect: FS105
    ]
