"""FS304: output that every replay repeats."""

from __future__ import annotations

from typing import ClassVar

from flowstrand.lint.rules.named_calls import Advice, NamedCalls

_USE = "use ctx.logger, which is silent on replay"


class Output(NamedCalls):
    id = "FS304"
    name = "output"
    summary = "Prints or logs, again on every replay. Harmless, so off unless it is selected."
    use = "`ctx.logger`"
    is_default = False
    functions: ClassVar[Advice] = {
        "builtins.print": _USE,
        "pprint.pprint": _USE,
        "sys.stdout.write": _USE,
        "sys.stderr.write": _USE,
    }
    packages: ClassVar[Advice] = {
        **{
            f"logging.{method}": _USE
            for method in ("debug", "info", "warning", "error", "exception", "critical", "log")
        },
        "logging.getLogger().": _USE,
        "loguru.logger.": _USE,
        "structlog.get_logger().": _USE,
    }
