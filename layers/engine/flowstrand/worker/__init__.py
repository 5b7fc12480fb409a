"""The HTTPS worker: runs an app's tasks wherever there is Python, and reports over the API.

    worker = Worker("https://….execute-api.eu-west-1.amazonaws.com/prod", api_key, "acme", App.load("shop.py"))
    await worker.run()

It needs the `client` extra.
"""

from flowstrand.worker.metrics import WorkerMetrics
from flowstrand.worker.observer import WorkerObserver
from flowstrand.worker.worker import Worker

__all__ = ["Worker", "WorkerMetrics", "WorkerObserver"]
