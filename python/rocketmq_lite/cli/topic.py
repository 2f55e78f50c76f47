"""`rmq topic`: list, create, show, change, remove topics, and show their routes."""

from __future__ import annotations

from typing import Annotated

import typer

from rocketmq_lite.cli import session
from rocketmq_lite.cli.arguments import (
    BrokerOption,
    ClusterOption,
    SystemOption,
    TopicArgument,
    check_perm,
    refuse_both,
)
from rocketmq_lite.cli.confirm import confirm
from rocketmq_lite.cli.failures import UsageFault
from rocketmq_lite.cli.options import GlobalOptions, with_global_options
from rocketmq_lite.cli.render import show_record, show_rows, time_text
from rocketmq_lite.cli.system_names import reserved_topics

app = typer.Typer(name="topic", help="Topics: create, show, change and remove them.", no_args_is_help=True)


async def ls(
    options: GlobalOptions,
    system: SystemOption = False,
) -> None:
    """List the topics."""
    async with session.connected(options) as client:
        topics = await client.admin.topics()
        reserved = reserved_topics(await client.admin.cluster())
    rows = [
        {"topic": topic, "system": is_system}
        for topic in topics
        if not (is_system := reserved(topic)) or system
    ]
    show_rows(rows, options, empty="no topics yet; the first send to one creates it, or `rmq topic create T`")


async def create(
    options: GlobalOptions,
    topic: TopicArgument,
    queues: Annotated[int, typer.Option("--queues", min=1, max=65_535, help="Queues on each broker.")] = 8,
    perm: Annotated[str, typer.Option("--perm", help="r, w or rw.")] = "rw",
    cluster: ClusterOption = None,
    broker: BrokerOption = None,
) -> None:
    """Create a topic on every master, or change one that exists."""
    check_perm(perm)
    refuse_both(cluster, broker)
    async with session.connected(options) as client:
        brokers = await client.admin.create_topic(
            topic, queues=queues, perm=perm, cluster=cluster, broker=broker
        )
    show_record({"topic": topic, "brokers": list(brokers), "queues": queues, "perm": perm}, options)


async def alter(
    options: GlobalOptions,
    topic: TopicArgument,
    queues: Annotated[
        int | None, typer.Option("--queues", min=1, max=65_535, help="Queues on each broker.")
    ] = None,
    read_queues: Annotated[
        int | None, typer.Option("--read-queues", min=1, max=65_535, help="Only those that consumers read.")
    ] = None,
    write_queues: Annotated[
        int | None, typer.Option("--write-queues", min=1, max=65_535, help="Only those that producers use.")
    ] = None,
    perm: Annotated[str | None, typer.Option("--perm", help="r, w or rw.")] = None,
    broker: BrokerOption = None,
) -> None:
    """Change settings of a topic; what is not given stays as it is. Asks before it hides messages."""
    if queues is not None and (read_queues is not None or write_queues is not None):
        raise UsageFault(
            "--queues stands for --read-queues and --write-queues together", hint="leave it or them out"
        )
    read_queues, write_queues = read_queues or queues, write_queues or queues
    if read_queues is None and write_queues is None and perm is None:
        raise UsageFault("nothing to change is given", hint="for example --queues 16, or --perm r")
    if perm is not None:
        check_perm(perm)
    async with session.connected(options) as client:
        known = await client.admin.topic_settings(topic)
        fewer = [
            name
            for name, each in known.items()
            if broker in {None, name} and read_queues is not None and read_queues < each.read_queue_nums
        ]
        if fewer:
            confirm(
                f"Messages in the queues of {topic} from number {read_queues} on will not be consumed any more on"
                f" {', '.join(fewer)}; they stay stored.",
                options,
            )
        altered = await client.admin.alter_topic(
            topic, read_queues=read_queues, write_queues=write_queues, perm=perm, broker=broker
        )
    rows = [
        {
            "broker": name,
            "read_queues": each.read_queue_nums,
            "write_queues": each.write_queue_nums,
            "perm": _perm_text(each.perm),
        }
        for name, each in altered.items()
    ]
    if options.json:
        show_record({"topic": topic, "brokers": rows}, options)
    else:
        show_rows(rows, options, empty="")


async def show(options: GlobalOptions, topic: TopicArgument) -> None:
    """Show a topic's queues and how full they are."""
    async with session.connected(options) as client:
        queues = await client.admin.topic_stats(topic)
    rows = [
        {
            "broker": queue.broker_name,
            "queue": queue.queue_id,
            "min_offset": bounds.min_offset,
            "max_offset": bounds.max_offset,
            "last_stored_at": time_text(bounds.last_update_timestamp),
        }
        for queue, bounds in queues.items()
    ]
    if options.json:
        show_record({"topic": topic, "queues": rows}, options)
    else:
        show_rows(rows, options, empty=f"topic {topic} has no queues")


async def route(options: GlobalOptions, topic: TopicArgument) -> None:
    """Show which brokers serve a topic."""
    async with session.connected(options) as client:
        found = await client.admin.route(topic)
    queues = [
        {
            "broker": queue.broker_name,
            "read_queues": queue.read_queue_nums,
            "write_queues": queue.write_queue_nums,
            "perm": _perm_text(queue.perm),
        }
        for queue in found.queue_datas
    ]
    brokers: list[dict[str, object]] = [
        {
            "broker": broker.broker_name,
            "cluster": broker.cluster,
            "addresses": {str(number): address for number, address in broker.broker_addrs.items()},
        }
        for broker in found.broker_datas
    ]
    if options.json:
        show_record({"topic": topic, "brokers": brokers, "queues": queues}, options)
        return
    masters = {broker.broker_name: broker.broker_addrs.get(0) for broker in found.broker_datas}
    rows = [{**queue, "master": masters.get(str(queue["broker"]))} for queue in queues]
    show_rows(rows, options, empty=f"no broker serves {topic}")


async def rm(options: GlobalOptions, topic: TopicArgument) -> None:
    """Remove a topic and its messages from every broker; asks first."""
    async with session.connected(options) as client:
        found = await client.admin.route(topic)
        brokers = tuple(broker.broker_name for broker in found.broker_datas)
        confirm(
            f"This removes topic {topic} and all its messages from {', '.join(brokers)}.",
            options,
            otherwise="Nothing was removed.",
        )
        await client.admin.delete_topic(topic)
    show_record({"topic": topic, "brokers": list(brokers)}, options)


def _perm_text(perm: int) -> str:
    return "".join(letter for letter, bit in (("r", 4), ("w", 2)) if perm & bit) or "-"


for _body in (ls, create, show, route, alter, rm):
    app.command(_body.__name__)(with_global_options(_body))
