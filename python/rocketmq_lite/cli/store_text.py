"""What ``rmq store repair`` says to people: its plan, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["plan_lines", "result_lines"]


def plan_lines(root: Path, plan: dict[str, Any]) -> Iterator[str]:
    """Each thing that will be done, and what becomes of what it replaces.

    Args:
        root: The store.
        plan: As :meth:`~rocketmq_lite.storage.OfflineRepair.plan` returns it.
    """
    kept = plan["directory"]
    yield f"Repairing {root}:"
    if cut := plan["cut"]:
        what = "is damaged where it had been durable" if cut["damage"] else "has a torn tail"
        yield f"- The log {what}, at position {cut['at']}. It will end there, behind {cut['records_before']} records."
        yield (
            f"  The {cut['bytes']} bytes behind it are kept in {kept}. {cut['records_behind']} whole records in them"
            " cannot be consumed any more."
        )
        if cut["records_behind"]:
            yield "  New messages take their offsets again: groups that were behind them have to be set back."
    for queue in plan["replaced_queues"]:
        yield f"- The entries in {queue} are wrong or missing. The directory is kept in {kept} and made again."
    for queue in plan["missing_queues"]:
        yield f"- {queue} is gone. It is made again from the records of the log."
    if plan["remakes_queues"]:
        yield "- The entries of all consume queues are made again from the records of the log."
    if plan["remakes_index"]:
        state = {"usable": "", "missing": " is missing and", "unusable": " has files of a wrong length and"}
        yield f"- The index by key{state[plan['index']]} is made again from the log; what there is of it is kept in {kept}."


def result_lines(record: dict[str, Any]) -> Iterator[str]:
    """What was done.

    Args:
        record: What is shown as JSON.
    """
    if not record["repaired"]:
        yield "Nothing was changed: there is nothing that a repair could better."
    if record["cut_to"]:
        yield f"Cut bytes are in {record['cut_to']}."
    for kept in record["set_aside"]:
        yield f"Set aside: {kept}."
    if record["sound"]:
        yield "The store is sound. A broker can start with it."
    else:
        yield "The store is not sound: `rmq store verify` lists what is left."
