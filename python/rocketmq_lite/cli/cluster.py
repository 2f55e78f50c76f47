"""`rmq cluster`: which brokers there are and how they are doing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from rocketmq_lite.cli import completion, session
from rocketmq_lite.cli.options import GlobalOptions, with_global_options
from rocketmq_lite.cli.render import show_heading, show_record, show_rows, time_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.client.administration.brokers import BrokerReport
    from rocketmq_lite.client.client import Client

app = typer.Typer(name="cluster", help="Clusters and brokers: how they are doing.", no_args_is_help=True)


async def ls(options: GlobalOptions) -> None:
    """List the brokers of all clusters with their load."""
    async with session.connected(options) as client:
        found = await client.admin.brokers()
    rows = [_row(each) for each in found]
    if not options.json:
        now = datetime.now(tz=UTC)
        for row, each in zip(rows, found, strict=True):
            row["started_at"] = _up_for(_started_ms(each), now)
        rows = [{("up" if name == "started_at" else name): row[name] for name in row} for row in rows]
    show_rows(rows, options, empty="no broker is registered; start one with `rmq broker` or `rmq up`")


async def show(
    options: GlobalOptions,
    broker: Annotated[
        str | None,
        typer.Argument(
            metavar="[BROKER]",
            help="The broker's name; all of them without it.",
            show_default=False,
            autocompletion=completion.brokers,
        ),
    ] = None,
) -> None:
    """Show what brokers say of themselves: figures and settings."""
    async with session.connected(options) as client:
        records = [await _record(client, each) for each in await client.admin.brokers(broker)]
    if options.json:
        show_record({"brokers": records}, options)
        return
    for record in records:
        show_heading(f"{record['broker']} {record['id']} at {record['address']} in {record['cluster']}")
        if record["error"] is not None:
            show_record({"error": record["error"]}, options)
        for part in ("runtime", "settings"):
            show_heading(part)
            show_record(record[part], options)  # type: ignore[arg-type]


async def _record(client: Client, broker: BrokerReport) -> dict[str, object]:
    settings: Mapping[str, str] = {}
    if broker.error is None:
        settings = await client.admin.broker_settings(broker.address)
    return {
        "cluster": broker.cluster,
        "broker": broker.name,
        "id": broker.broker_id,
        "address": broker.address,
        "error": None if broker.error is None else broker.error.message,
        "runtime": dict(sorted(broker.runtime.items())),
        "settings": dict(sorted(settings.items())),
    }


def _row(broker: BrokerReport) -> dict[str, object]:
    figures = broker.runtime
    return {
        "cluster": broker.cluster,
        "broker": broker.name,
        "id": broker.broker_id,
        "address": broker.address,
        "version": _version(figures.get("brokerVersionDesc")),
        "put_tps": _number(figures.get("putTps"), digits=1),
        "get_tps": _number(figures.get("getTransferredTps"), digits=1),
        "disk_used": _number(figures.get("commitLogDiskRatio"), digits=3),
        "started_at": time_text(_started_ms(broker)),
        "error": None if broker.error is None else broker.error.message,
    }


def _started_ms(broker: BrokerReport) -> int:
    return int(_number(broker.runtime.get("bootTimestamp"), digits=0) or 0)


def _version(constant: str | None) -> str | None:
    """``5.3.3`` of ``V5_3_3``."""
    return None if constant is None else constant.removeprefix("V").replace("_", ".")


def _number(text: str | None, *, digits: int) -> float | None:
    """The number that a figure is; of three averages over growing spans, the one over the last seconds."""
    try:
        return round(float((text or "").split()[0]), digits)
    except (ValueError, IndexError):
        return None


def _up_for(started_ms: int, now: datetime) -> str | None:
    """``3d 4h``, ``5h 12m`` or ``7m``: how long ago that was."""
    if not started_ms:
        return None
    minutes = max(int(now.timestamp() - started_ms / 1000), 0) // 60
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {minutes}m" if hours else f"{minutes}m"


for _body in (ls, show):
    app.command(_body.__name__)(with_global_options(_body))
