"""What the commands of `rmq group` and `rmq producer` print, as rows and records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.cli.render import time_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rocketmq_lite.client.administration.group_reports import GroupClient, GroupClients, QueueLag
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.bodies import SubscriptionGroupConfig


def settings_rows(settings: Mapping[str, SubscriptionGroupConfig]) -> list[dict[str, object]]:
    """One row a broker."""
    return [
        {
            "broker": name,
            "consume": config.consume_enable,
            "broadcast": config.consume_broadcast_enable,
            "orderly": config.consume_message_orderly,
            "retries": config.retry_max_times,
            "retry_queues": config.retry_queue_nums,
        }
        for name, config in settings.items()
    ]


def subscription_rows(clients: GroupClients) -> list[dict[str, object]]:
    """One row a topic."""
    return [
        {"topic": topic, "expression": each.sub_string, "type": each.expression_type}
        for topic, each in sorted(clients.subscriptions.items())
    ]


def lag_row(queue: QueueLag) -> dict[str, object]:
    """How far the group is in one queue."""
    return {
        **queue_record(queue.queue),
        "broker_offset": queue.broker_offset,
        "committed": queue.consumer_offset,
        "lag": queue.lag,
        "consumed_until": time_text(queue.last_stored_ms),
        "client_id": queue.client_id,
    }


def skipped_record(queue: QueueLag) -> dict[str, object]:
    """What the group lost in a queue, under the names of docs/cli.md."""
    lost = queue.skipped
    return {
        "skipped": None
        if lost is None
        else {
            "from": lost.begin,
            "to": lost.end,
            "at": time_text(lost.timestamp),
        }
    }


def skipped_lines(queues: Sequence[QueueLag]) -> list[str]:
    """A line for each queue in which messages went before the group had consumed them."""
    return [
        f"{each.queue.topic} {each.queue.broker_name}/{each.queue.queue_id} fell behind what the broker keeps:"
        f" {lost.end - lost.begin:,} messages from offset {lost.begin} on are lost, it went on at {lost.end}"
        f" at {time_text(lost.timestamp)}"
        for each in queues
        if (lost := each.skipped) is not None
    ]


def blocked_record(queue: QueueLag) -> dict[str, object]:
    """What a queue that is consumed in order waits for, under the names of docs/cli.md."""
    head = queue.blocked
    return {
        "blocked_known": queue.blocked_known,
        "blocked": None
        if head is None
        else {
            "offset": head.offset,
            "attempts": head.attempts,
            "since": time_text(head.since),
            "error": head.error,
            "stands": head.stands,
        },
    }


def blocked_lines(queues: Sequence[QueueLag]) -> list[str]:
    """A line for each queue that waits for a message that failed, and one for the members that do not say."""
    lines = []
    for each in queues:
        if (head := each.blocked) is not None:
            goes_on = "it is tried no more" if head.stands else "it is tried again"
            lines.append(
                f"{each.queue.topic} {each.queue.broker_name}/{each.queue.queue_id} waits for offset {head.offset}:"
                f" {head.attempts} attempts failed since {time_text(head.since)}, {goes_on}; {head.error}"
            )
    silent = {each.client_id for each in queues if each.client_id and each.lag and not each.blocked_known}
    lines += [f"whether a failing message holds up {client_id} is not known" for client_id in sorted(silent)]
    return lines


def client_row(client: GroupClient) -> dict[str, object]:
    """A member, without its queues."""
    from rocketmq_lite.protocol.versions import version_text

    return {
        "client_id": client.client_id,
        "address": client.address,
        "language": client.language,
        "version": version_text(client.version),
    }


def queue_record(queue: MessageQueue) -> dict[str, object]:
    """A queue under the names of docs/cli.md."""
    return {"topic": queue.topic, "broker": queue.broker_name, "queue": queue.queue_id}


def queues_text(queues: tuple[MessageQueue, ...] | None) -> str | None:
    """The queues of a member in few words: ``orders broker-a/0,1 broker-b/0``."""
    if queues is None:
        return None
    numbers: dict[str, dict[str, list[str]]] = {}
    for queue in queues:
        brokers = numbers.setdefault(queue.topic, {})
        brokers.setdefault(queue.broker_name, []).append(str(queue.queue_id))
    return "\n".join(
        " ".join([topic, *(f"{broker}/{','.join(ids)}" for broker, ids in brokers.items())])
        for topic, brokers in numbers.items()
    )
