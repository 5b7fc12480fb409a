"""The `flowstrand` program: its commands, put together."""

from __future__ import annotations

import logging

import typer

from flowstrand.cli import (
    changing,
    channel,
    completion,
    definitions,
    dev,
    doctor,
    exporting,
    feed,
    following,
    iam,
    importing,
    keys,
    lint,
    listing,
    looking,
    payload,
    pricing,
    promise,
    pruning,
    queue,
    redriving,
    replay,
    schedule,
    starting,
    task,
    tracing,
    usage,
    worker,
)
from flowstrand.cli.demo import command as demo
from flowstrand.cli.registering import group, register
from flowstrand.cli.version import Version

_EXECUTIONS = "Executions"
_OTHERS = "Everything else on a server"
_HERE = "On this machine"
_PLACE = "For whoever runs a stack or a local server"

program = typer.Typer(
    name="flowstrand",
    help="Durable workflows: every execution is one ordered, gap-free event log.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


@program.callback()
def _program(_version: Version = False) -> None:
    # Python prints warnings that nobody handles; a retry is none of a person's business until there is no more of them.
    logging.getLogger("stamina").addHandler(logging.NullHandler())


for command in (
    starting.start,
    starting.signal_with_start,
    looking.get,
    following.wait,
    following.events,
    following.tail,
    looking.state,
    looking.tasks,
    looking.children,
    changing.signal,
    changing.cancel,
    changing.retry,
):
    register(program, command, panel=_EXECUTIONS)
register(program, listing.listed, name="list", panel=_EXECUTIONS)
for command in (dev.dev, worker.worker, lint.lint, replay.replay, demo.demo):
    register(program, command, panel=_HERE)
register(program, doctor.doctor, panel=_PLACE)
register(program, redriving.redrive, panel=_PLACE)
register(program, pruning.prune, panel=_PLACE)
register(program, exporting.export, panel=_PLACE)
register(program, importing.imported, name="import", panel=_PLACE)
register(program, pricing.price, panel=_PLACE)
register(program, tracing.trace, panel=_PLACE)
program.add_typer(
    group(
        "keys",
        "API keys, and the secrets of leases and tickets.",
        {
            "create": keys.create,
            "list": keys.listed,
            "revoke": keys.revoke,
            "rotate-leases": keys.rotate_leases,
            "rotate-tickets": keys.rotate_tickets,
        },
    ),
    rich_help_panel=_PLACE,
)
program.add_typer(
    group(
        "iam",
        "AWS identities that need no API key.",
        {"admit": iam.admit, "list": iam.listed, "dismiss": iam.dismiss, "token": iam.token},
    ),
    rich_help_panel=_PLACE,
)
program.add_typer(
    group(
        "usage",
        "Usage plans: how many requests an org may make, and has made.",
        {"enroll": usage.enroll, "leave": usage.leave, "list": usage.listed, "show": usage.show},
    ),
    rich_help_panel=_PLACE,
)
for command in (queue.workers, feed.feed, feed.ticket):
    register(program, command, panel=_OTHERS)
program.add_typer(
    group("promise", "Settle what workflows wait for.", {"resolve": promise.resolve, "reject": promise.reject}),
    rich_help_panel=_OTHERS,
)
program.add_typer(
    group(
        "schedule",
        "Start workflows at their time.",
        {
            "create": schedule.create,
            "list": schedule.listed,
            "get": schedule.get,
            "update": schedule.update,
            "pause": schedule.pause,
            "resume": schedule.resume,
            "trigger": schedule.trigger,
            "runs": schedule.runs,
            "delete": schedule.delete,
        },
    ),
    rich_help_panel=_OTHERS,
)
program.add_typer(
    group(
        "task",
        "Run tasks without a workflow around them, and look at any.",
        {
            "start": task.start,
            "get": task.get,
            "wait": task.wait,
            "cancel": task.cancel,
            "attempts": task.attempts,
            "logs": task.logs,
            "events": task.events,
            "tail": task.tail,
        },
    ),
    rich_help_panel=_OTHERS,
)
program.add_typer(
    group(
        "payload",
        "Values that are too large for a request.",
        {"upload": payload.upload, "download": payload.download},
    ),
    rich_help_panel=_OTHERS,
)
program.add_typer(
    group(
        "queue",
        "Look after the queues where tasks wait.",
        {
            "list": queue.listed,
            "get": queue.get,
            "pause": queue.pause,
            "resume": queue.resume,
            "limit": queue.limit,
        },
    ),
    rich_help_panel=_OTHERS,
)
program.add_typer(
    group(
        "channel",
        "Streams that anybody may append to and read.",
        {
            "create": channel.create,
            "append": channel.append,
            "close": channel.close,
            "get": channel.get,
            "read": channel.read,
            "tail": channel.tail,
            "delete": channel.delete,
        },
    ),
    rich_help_panel=_OTHERS,
)
program.add_typer(
    group(
        "definitions",
        "What can be started and scheduled.",
        {"workflows": definitions.workflows, "tasks": definitions.tasks},
    ),
    rich_help_panel=_OTHERS,
)
program.add_typer(
    group("completion", "Complete words in a shell.", {"show": completion.show}), rich_help_panel=_HERE
)


def main() -> None:
    """Run it; it exits with one of `exits.Exit`."""
    program()
