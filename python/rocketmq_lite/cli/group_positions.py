"""`rmq group reset` and `rmq group clone`: set a group's positions, after showing what that means."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from rocketmq_lite.cli import session
from rocketmq_lite.cli.arguments import GroupArgument, TopicArgument
from rocketmq_lite.cli.completion import groups as complete_groups
from rocketmq_lite.cli.completion import topics as complete_topics
from rocketmq_lite.cli.confirm import confirm
from rocketmq_lite.cli.failures import UsageFault
from rocketmq_lite.cli.group_rows import queue_record
from rocketmq_lite.cli.moments import parse_time
from rocketmq_lite.cli.options import GlobalOptions
from rocketmq_lite.cli.render import show_record, show_rows
from rocketmq_lite.model import MessageQueue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rocketmq_lite.client.administration.positions import PositionChange
    from rocketmq_lite.client.client import Client
    from rocketmq_lite.client.places import Place

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what it would mean, and change nothing.")]


async def reset(
    options: GlobalOptions,
    group: GroupArgument,
    topic: TopicArgument,
    to_time: Annotated[
        str | None,
        typer.Option("--to-time", metavar="TIME", help="The first message stored at or after a time."),
    ] = None,
    to_offset: Annotated[
        int | None, typer.Option("--to-offset", metavar="N", min=0, help="This offset.")
    ] = None,
    to_earliest: Annotated[bool, typer.Option("--to-earliest", help="The first message there is.")] = False,
    to_latest: Annotated[bool, typer.Option("--to-latest", help="Behind the last message.")] = False,
    queue: Annotated[
        str | None,
        typer.Option("--queue", metavar="Q", help="Only queue Q of each broker, or BROKER/Q alone."),
    ] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Set a group's positions in a topic, whether its members are online or not; asks first."""
    to = _position(to_time, to_offset, earliest=to_earliest, latest=to_latest)
    async with session.connected(options) as client:
        plan = await client.admin.plan_reset(group, topic, to, queue=_queue(topic, queue))
        await _carry_out(client, group, plan, options, dry_run=dry_run)


async def clone(
    options: GlobalOptions,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="Whose positions.", show_default=False, autocompletion=complete_groups
        ),
    ],
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET", help="Who gets them.", show_default=False, autocompletion=complete_groups
        ),
    ],
    topic: Annotated[
        str | None,
        typer.Option("--topic", metavar="T", help="Only in this topic.", autocompletion=complete_topics),
    ] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Give a group the positions of another one; asks first."""
    async with session.connected(options) as client:
        plan = await client.admin.plan_clone(source, target, topic=topic)
        await _carry_out(client, target, plan, options, dry_run=dry_run)


async def _carry_out(
    client: Client, group: str, plan: Sequence[PositionChange], options: GlobalOptions, *, dry_run: bool
) -> None:
    rows = [
        {
            **queue_record(each.queue),
            "before": each.before,
            "after": each.after,
            "again": each.again,
            "skipped": each.skipped,
        }
        for each in plan
    ]
    if not options.json:
        show_rows(rows, options, empty="there is no position to set")
    if plan and not dry_run:
        members = len((await client.admin.group_clients(group, queues=False)).members)
        confirm(_summary(group, plan, members), options)
        await client.admin.move_group(group, plan)
        if not options.json:
            sys.stdout.write(f"set {len(plan)} positions of group {group}\n")
    if options.json:
        show_record({"group": group, "dry_run": dry_run, "queues": rows}, options)


def _summary(group: str, plan: Sequence[PositionChange], members: int) -> str:
    again, skipped = sum(each.again for each in plan), sum(each.skipped for each in plan)
    text = (
        f"This sets the positions of group {group} in {len(plan)} queues: {again:,} messages will be consumed again,"
        f" {skipped:,} will not be consumed."
    )
    if members:
        text += f"\n{members} of its members are online; they go on there with their next pull."
    return text


def _position(time: str | None, offset: int | None, *, earliest: bool, latest: bool) -> Place:
    """The one place that is given.

    Raises:
        UsageFault: None is, or several are.
    """
    given: list[Place] = []
    if time is not None:
        given.append(parse_time("--to-time", time))
    if offset is not None:
        given.append(offset)
    if earliest:
        given.append("earliest")
    if latest:
        given.append("latest")
    if len(given) != 1:
        raise UsageFault(
            "where to is not given" if not given else "several places are given",
            hint="give one of --to-time, --to-offset, --to-earliest, --to-latest",
        )
    return given[0]


def _queue(topic: str, text: str | None) -> int | MessageQueue | None:
    """A queue as it is typed: ``3``, or ``broker-a/3``."""
    if text is None:
        return None
    found = re.fullmatch(r"(?:(.+)/)?(\d+)", text)
    if found is None:
        raise UsageFault(
            f"--queue {text} is no queue", hint="for example 3, or broker-a/3 with several brokers"
        )
    number = int(found[2])
    return number if found[1] is None else MessageQueue(topic, found[1], number)
