"""What runs tasks in a deployed function. Beside the composition root: no other function needs what this imports."""

from __future__ import annotations

import os

from flowstrand.errors import ConfigurationError
from flowstrand.hosting.code import TaskCode
from flowstrand.hosting.host import Host
from flowstrand.service.container import Services


def task_host(services: Services, worker_id: str) -> Host:
    """The app's tasks, run under this worker's name.

    Raises:
        ConfigurationError: the environment names no app, or no queue.
    """
    queue = os.environ.get("FLOWSTRAND_HOSTED_QUEUE")
    if not queue or not isinstance(services.programs, TaskCode):
        raise ConfigurationError("a function that runs tasks needs FLOWSTRAND_APP and FLOWSTRAND_HOSTED_QUEUE")
    return Host(services, services.programs, queue=queue, worker_id=worker_id)
