"""`rmq dlq`: what consumer groups have given up."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from rocketmq_lite.cli import session
from rocketmq_lite.cli.arguments import GroupArgument
from rocketmq_lite.cli.confirm import confirm
from rocketmq_lite.cli.message_text import message_line, message_record
from rocketmq_lite.cli.options import GlobalOptions, with_global_options
from rocketmq_lite.cli.progress import counting
from rocketmq_lite.cli.render import show_line, show_record, show_rows

if TYPE_CHECKING:
    from rocketmq_lite.client.administration.dead_letters import KeptDeadLetter

app = typer.Typer(name="dlq", help="Dead letters: what consumer groups have given up.", no_args_is_help=True)


async def ls(options: GlobalOptions) -> None:
    """Count the dead letters of each group, on all brokers."""
    async with session.connected(options) as client:
        found = await client.admin.dead_letter_counts()
    rows: list[dict[str, object]] = [
        {"group": each.group, "kept": each.kept, "waiting": each.waiting} for each in found
    ]
    show_rows(rows, options, empty="no group has given up a message")


async def show(
    options: GlobalOptions,
    group: GroupArgument,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only those that were not sent again.")] = False,
    count: Annotated[int | None, typer.Option("--count", min=1, help="Stop after so many.")] = None,
) -> None:
    """Print a group's dead letters: where each came from, how often it was tried, what it holds."""
    shown = 0
    async with session.connected(options) as client:
        async for each in client.admin.dead_letters(group):
            if shown == count:
                break
            if not (waiting and each.resent):
                show_line(_record(each), options, text=_line(each))
                shown += 1
    if not shown:
        sys.stderr.write(f"group {group} has no dead letters\n")


async def resend(
    options: GlobalOptions,
    group: GroupArgument,
    to_retry: Annotated[
        bool, typer.Option("--to-retry", help="To this group alone, not to the topics they came from.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Begin with the oldest, whatever was sent again already.")
    ] = False,
) -> None:
    """Send a group's dead letters once more, going on where an earlier run stopped; asks first."""
    sent = skipped = 0
    async with session.connected(options) as client:
        found = await client.admin.dead_letter_count(group)
        total = found.kept if again else found.waiting
        if total:
            where = (
                f"to group {group} alone"
                if to_retry
                else "to the topics they came from, where every group gets them (--to-retry: this group alone)"
            )
            confirm(
                f"This sends {total:,} dead letters of group {group} {where}.",
                options,
                otherwise="Nothing was sent.",
            )
        with counting("resend", total) as advance:
            steps = client.admin.resend_dead_letters(group, to="retry" if to_retry else "origin", again=again)
            async for step in steps:
                sent, skipped = sent + step.sent, skipped + step.skipped
                advance(step.sent + step.skipped)
    show_record({"group": group, "sent": sent, "skipped": skipped}, options)
    if skipped:
        sys.stderr.write(
            f"{skipped:,} do not say where they came from; they are kept, see `rmq dlq show {group}`\n"
        )


async def purge(options: GlobalOptions, group: GroupArgument) -> None:
    """Remove all dead letters of a group for good; asks first."""
    async with session.connected(options) as client:
        found = await client.admin.dead_letter_count(group)
        if found.kept:
            plan = f"This removes {found.kept:,} dead letters of group {group}, {found.waiting:,} of them never sent again."
            confirm(plan, options, otherwise="Nothing was removed.")
            await client.admin.purge_dead_letters(group)
    show_record({"group": group, "removed": found.kept}, options)


async def export(options: GlobalOptions, group: GroupArgument) -> None:
    """Write a group's dead letters as JSON, one a line, whatever --output says."""
    from rocketmq_lite.cli.options import Output

    async with session.connected(options) as client:
        found = await client.admin.dead_letter_count(group)
        with counting("export", found.kept) as advance:
            async for each in client.admin.dead_letters(group):
                show_line(_record(each), GlobalOptions(output=Output.JSON), text="")
                advance(1)


def _record(letter: KeptDeadLetter) -> dict[str, object]:
    return {
        **message_record(letter.message),
        "origin_topic": letter.origin_topic,
        "origin_message_id": letter.origin_message_id,
        "attempts": letter.attempts,
        "resent": letter.resent,
    }


def _line(letter: KeptDeadLetter) -> str:
    state = ", sent again" if letter.resent else ""
    return f"{letter.origin_topic or '?'}, {letter.attempts} attempts{state}: {message_line(letter.message)}"


for _body in (ls, show, resend, purge, export):
    app.command(_body.__name__)(with_global_options(_body))
