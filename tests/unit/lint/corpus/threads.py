import concurrent.futures
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Process
from threading import Thread

from flowstrand import WorkflowContext, workflow

POOL = ThreadPoolExecutor()
LOCK = threading.Lock()


@workflow
async def uses_threads(ctx: WorkflowContext) -> None:
    threading.Thread(target=noop).start()  # expect: FS204
    Thread(target=noop)  # expect: FS204
    Process(target=noop)  # expect: FS204
    with concurrent.futures.ThreadPoolExecutor() as pool:  # expect: FS204
        pool.submit(noop)  # expect: FS204
    POOL.submit(noop)  # expect: FS204
    LOCK.acquire()  # expect: FS204


def noop() -> None: ...
