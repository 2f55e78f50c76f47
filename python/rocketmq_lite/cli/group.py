"""`rmq group`: consumer groups, who is in them and how far they are."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from rocketmq_lite.cli import session
from rocketmq_lite.cli.arguments import (
    BrokerOption,
    ClusterOption,
    GroupArgument,
    SystemOption,
    refuse_both,
)
from rocketmq_lite.cli.completion import topics as complete_topics
from rocketmq_lite.cli.confirm import confirm
from rocketmq_lite.cli.doctor import problem_rows
from rocketmq_lite.cli.failures import UsageFault
from rocketmq_lite.cli.group_positions import clone, reset
from rocketmq_lite.cli.group_rows import (
    blocked_lines,
    blocked_record,
    client_row,
    lag_row,
    queue_record,
    queues_text,
    settings_rows,
    skipped_lines,
    skipped_record,
    subscription_rows,
)
from rocketmq_lite.cli.options import GlobalOptions, with_global_options
from rocketmq_lite.cli.render import show_heading, show_record, show_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.protocol.bodies import SubscriptionGroupConfig

app = typer.Typer(
    name="group", help="Consumer groups: who consumes, and how far they are.", no_args_is_help=True
)

RETRIES_HELP = "How often a message that could not be consumed comes again."
RetriesOption = Annotated[int | None, typer.Option("--retries", min=0, help=RETRIES_HELP)]
ConsumeOption = Annotated[
    bool | None, typer.Option("--consume/--no-consume", help="Whether members get messages at all.")
]
BroadcastOption = Annotated[
    bool | None,
    typer.Option("--broadcast/--no-broadcast", help="Whether members may consume in broadcasting mode."),
]
OrderlyOption = Annotated[
    bool | None, typer.Option("--orderly/--no-orderly", help="Whether each queue is consumed in order.")
]


async def ls(options: GlobalOptions, system: SystemOption = False) -> None:
    """List the consumer groups."""
    from rocketmq_lite.protocol.reserved import is_system_group

    async with session.connected(options) as client:
        found = await client.admin.groups()
    rows = [
        {
            "group": each.group,
            "system": is_system,
            "members": each.members,
            "message_model": each.message_model,
            "brokers": list(each.brokers),
        }
        for each in found
        if not (is_system := is_system_group(each.group)) or system
    ]
    show_rows(rows, options, empty="no groups yet; the first consumer of one creates it")


async def show(options: GlobalOptions, group: GroupArgument) -> None:
    """Show a group's settings, and what it subscribes to."""
    async with session.connected(options) as client:
        settings = await client.admin.group(group)
        clients = await client.admin.group_clients(group, queues=False)
        problems = problem_rows(await client.admin.group_problems(group))
    rows = settings_rows(settings)
    subscriptions = subscription_rows(clients)
    if options.json:
        record = {
            "group": group,
            "members": len(clients.members),
            "consume_type": clients.consume_type,
            "message_model": clients.message_model,
            "brokers": rows,
            "subscriptions": subscriptions,
            "problems": problems,
        }
        show_record(record, options)
        return
    show_rows(rows, options, empty="")
    if clients.members:
        show_heading(f"{len(clients.members)} online, {clients.message_model}; they subscribe to")
        show_rows(subscriptions, options, empty="nothing")
    else:
        _say_that_nobody_is_there(group)
    if problems:
        show_heading("problems")
        show_rows(problems, options, empty="")


async def create(
    options: GlobalOptions,
    group: GroupArgument,
    retries: Annotated[int, typer.Option("--retries", min=0, help=RETRIES_HELP)] = 16,
    consume: ConsumeOption = True,
    broadcast: BroadcastOption = True,
    orderly: OrderlyOption = False,
    cluster: ClusterOption = None,
    broker: BrokerOption = None,
) -> None:
    """Create a group on every master, or give one that exists these settings."""
    refuse_both(cluster, broker)
    async with session.connected(options) as client:
        await client.admin.create_group(
            group,
            retry_max_times=retries,
            consume_enable=bool(consume),
            broadcast_enable=bool(broadcast),
            orderly=bool(orderly),
            cluster=cluster,
            broker=broker,
        )
        settings = await client.admin.group(group)
    _show_settings(group, settings, options)


async def alter(
    options: GlobalOptions,
    group: GroupArgument,
    retries: RetriesOption = None,
    consume: ConsumeOption = None,
    broadcast: BroadcastOption = None,
    orderly: OrderlyOption = None,
    broker: BrokerOption = None,
) -> None:
    """Change settings of a group; what is not given stays as it is."""
    if all(each is None for each in (retries, consume, broadcast, orderly)):
        raise UsageFault(
            "nothing to change is given", hint="for example --retries 3; see `rmq group alter --help`"
        )
    async with session.connected(options) as client:
        settings = await client.admin.alter_group(
            group,
            retry_max_times=retries,
            consume_enable=consume,
            broadcast_enable=broadcast,
            orderly=orderly,
            broker=broker,
        )
    _show_settings(group, settings, options)


async def lag(
    options: GlobalOptions,
    group: GroupArgument,
    topic: Annotated[
        str | None,
        typer.Option(
            "--topic", metavar="T", help="Only the queues of this topic.", autocompletion=complete_topics
        ),
    ] = None,
) -> None:
    """Show how far a group is in each queue, who reads it, and which failing message holds it up."""
    async with session.connected(options) as client:
        found = await client.admin.group_lag(group, topic=topic)
    rows = [lag_row(each) for each in found.queues]
    if options.json:
        queues = [
            row | blocked_record(each) | skipped_record(each)
            for row, each in zip(rows, found.queues, strict=True)
        ]
        record = {"group": group, "members": found.members, "total": found.total, "queues": queues}
        show_record(record, options)
        return
    show_rows(rows, options, empty=f"group {group} has no position in any queue yet")
    if rows:
        sys.stdout.write(f"\ntotal lag {found.total:,} in {len(rows)} queues\n")
        lines = [*blocked_lines(found.queues), *skipped_lines(found.queues)]
        sys.stdout.writelines(f"{line}\n" for line in lines)
    if not found.members:
        _say_that_nobody_is_there(group)


async def clients(options: GlobalOptions, group: GroupArgument) -> None:
    """Show a group's members, and which queues each reads."""
    async with session.connected(options) as client:
        found = await client.admin.group_clients(group)
    if options.json:
        record = {
            "group": group,
            "consume_type": found.consume_type,
            "message_model": found.message_model,
            "consume_from_where": found.consume_from_where,
            "subscriptions": subscription_rows(found),
            "members": [
                {
                    **client_row(each),
                    "queues": None if each.queues is None else list(map(queue_record, each.queues)),
                }
                for each in found.members
            ],
        }
        show_record(record, options)
        return
    rows = [{**client_row(each), "queues": queues_text(each.queues)} for each in found.members]
    if not rows:
        _say_that_nobody_is_there(group)
        return
    show_rows(rows, options, empty="")
    show_heading("they subscribe to")
    show_rows(subscription_rows(found), options, empty="nothing")


async def rm(options: GlobalOptions, group: GroupArgument, cluster: ClusterOption = None) -> None:
    """Remove a group with its positions, retry topic and dead letters; asks first."""
    from rocketmq_lite.errors import RocketMQError
    from rocketmq_lite.protocol.reserved import dead_letter_topic, retry_topic

    async with session.connected(options) as client:
        known = list(await client.admin.group(group))
        if cluster is not None:
            members_of = (await client.admin.cluster()).cluster_addr_table.get(cluster, ())
            known = [name for name in known if name in members_of]
            if not known:
                raise RocketMQError(
                    f"no broker of cluster {cluster} knows consumer group {group}",
                    hint="`rmq cluster ls` lists the clusters, `rmq group show` who knows the group",
                )
        members = len((await client.admin.group_clients(group, queues=False)).members)
        plan = (
            f"This removes group {group}, its positions, and the topics {retry_topic(group)} and"
            f" {dead_letter_topic(group)} with their messages from {', '.join(known)}."
        )
        if members:
            plan += (
                f"\n{members} of its members are online: they create it anew and begin as a new group does."
            )
        confirm(plan, options, otherwise="Nothing was removed.")
        removed = await client.admin.delete_group(group, cluster=cluster)
    show_record({"group": group, "brokers": list(removed)}, options)


def _say_that_nobody_is_there(group: str) -> None:
    sys.stderr.write(f"nobody of group {group} is online\n")


def _show_settings(
    group: str, settings: Mapping[str, SubscriptionGroupConfig], options: GlobalOptions
) -> None:
    rows = settings_rows(settings)
    if options.json:
        show_record({"group": group, "brokers": rows}, options)
    else:
        show_rows(rows, options, empty="")


for _body in (ls, show, create, alter, lag, reset, clone, clients, rm):
    app.command(_body.__name__)(with_global_options(_body))
