"""`rmq topic`: list, create, show, remove topics, and show their routes."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from rocketmq_lite.cli import session
from rocketmq_lite.cli.failures import UsageFault
from rocketmq_lite.cli.options import GlobalOptions, with_global_options
from rocketmq_lite.cli.render import show_record, show_rows

if TYPE_CHECKING:
    from rocketmq_lite.protocol.bodies import ClusterInfo

app = typer.Typer(name="topic", help="Create, show and remove topics.", no_args_is_help=True)

TopicArgument = Annotated[str, typer.Argument(metavar="T", help="The topic.", show_default=False)]

PERMS = ("rw", "r", "w")

# client-semantics section 22: names that RocketMQ keeps for itself.
SYSTEM_PREFIXES = ("rmq_sys_", "%RETRY%", "%DLQ%")
SYSTEM_TOPICS = {
    "BenchmarkTest",
    "CHECKPOINT_TOPIC",
    "OFFSET_MOVED_EVENT",
    "RMQ_SYS_TRACE_TOPIC",
    "RMQ_SYS_TRANS_HALF_TOPIC",
    "RMQ_SYS_TRANS_OP_HALF_TOPIC",
    "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC",
    "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC",
    "SCHEDULE_TOPIC_XXXX",
    "SELF_TEST_TOPIC",
    "TBW102",
    "TRANS_CHECK_MAX_TIME_TOPIC",
}


async def ls(
    options: GlobalOptions,
    system: Annotated[
        bool, typer.Option("--system", help="Show the topics that RocketMQ itself uses, too.")
    ] = False,
) -> None:
    """List the topics."""
    async with session.connected(options) as client:
        topics = await client.admin.topics()
        reserved = _reserved(await client.admin.cluster())
    rows = [
        {"topic": topic, "system": is_system}
        for topic in topics
        if not (is_system := topic in reserved or topic.startswith(SYSTEM_PREFIXES)) or system
    ]
    show_rows(rows, options, empty="no topics yet; the first send to one creates it, or `rmq topic create T`")


async def create(
    options: GlobalOptions,
    topic: TopicArgument,
    queues: Annotated[int, typer.Option("--queues", min=1, max=65_535, help="Queues on each broker.")] = 8,
    perm: Annotated[str, typer.Option("--perm", help="r, w or rw.")] = "rw",
    cluster: Annotated[
        str | None, typer.Option("--cluster", help="Only on the brokers of this cluster.")
    ] = None,
    broker: Annotated[str | None, typer.Option("--broker", help="Only on this broker.")] = None,
) -> None:
    """Create a topic on every master, or change one that exists."""
    if perm not in PERMS:
        raise UsageFault(f"--perm {perm} is no permission", hint=f"one of {', '.join(PERMS)}")
    if cluster and broker:
        raise UsageFault("--cluster and --broker exclude each other", hint="leave one of them out")
    async with session.connected(options) as client:
        brokers = await client.admin.create_topic(
            topic, queues=queues, perm=perm, cluster=cluster, broker=broker
        )
    show_record({"topic": topic, "brokers": list(brokers), "queues": queues, "perm": perm}, options)


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
            "last_stored_at": _time(bounds.last_update_timestamp),
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
            "perm": "".join(letter for letter, bit in (("r", 4), ("w", 2)) if queue.perm & bit) or "-",
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
        _confirm_removal(topic, brokers, options)
        await client.admin.delete_topic(topic)
    show_record({"topic": topic, "brokers": list(brokers)}, options)


def _confirm_removal(topic: str, brokers: tuple[str, ...], options: GlobalOptions) -> None:
    sys.stderr.write(f"This removes topic {topic} and all its messages from {', '.join(brokers)}.\n")
    if options.yes:
        return
    sys.stderr.write("Go on? [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline().strip().lower()
    if answer not in {"y", "yes"}:
        sys.stderr.write("Nothing was removed. (--yes answers for you.)\n")
        raise typer.Exit(1)


def _reserved(cluster: ClusterInfo) -> set[str]:
    """Topics that every broker has: the fixed ones, and those named after clusters and brokers."""
    clusters = cluster.cluster_addr_table
    replies = {f"{name}_REPLY_TOPIC" for name in clusters}
    return SYSTEM_TOPICS | replies | set(clusters) | set(cluster.broker_addr_table)


def _time(milliseconds: int) -> str | None:
    if milliseconds <= 0:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).isoformat(timespec="milliseconds")


for _body in (ls, create, show, route, rm):
    app.command(_body.__name__)(with_global_options(_body))
