"""The `rmq` command tree.

Making it must stay cheap: commands import what they run in their bodies, and a server that is started does not wait for
the commands that talk to one.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer
import typer.core

from rocketmq_lite.cli import servers
from rocketmq_lite.cli.options import global_options_callback

ORDER = (
    *servers.NAMES,
    "msg",
    "topic",
    "group",
    "dlq",
    "producer",
    "cluster",
    "config",
    "store",
    "bench",
    "doctor",
    "explain",
)

HELP = """RocketMQ in one command: name server, broker, producer, consumer and admin tools.

Start everything with `rmq up`; then, in another terminal, `rmq msg send hello world` and `rmq msg tail hello`.
"""


def _print_version(asked: bool | None) -> None:  # noqa: FBT001 - Typer calls it with the flag's value
    if asked:
        import rocketmq_lite

        typer.echo(f"rmq {rocketmq_lite.__version__}")
        raise typer.Exit


class _InOrder(typer.core.TyperGroup):
    """Lists the commands as a newcomer meets them, where Typer would put all nouns last."""

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002 - the base class decides
        """The names of all commands, in our order."""
        return sorted(self.commands, key=ORDER.index)


def build(*, server: str | None = None) -> typer.Typer:
    """The tree, whole, or as far as starting one server needs it: the rest would cost a quarter of that time."""
    app = typer.Typer(
        name="rmq",
        cls=_InOrder,
        help=HELP,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(
        global_options_callback(
            version=Annotated[
                bool | None,
                typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
            ]
        )
    )
    servers.add_commands(app, (server,) if server else servers.NAMES)
    if server is None:
        _add_nouns(app)
    return app


def _add_nouns(app: typer.Typer) -> None:
    from rocketmq_lite.cli import (
        bench,
        cluster,
        config,
        dlq,
        doctor,
        explain,
        group,
        message,
        producer,
        store,
        topic,
    )

    app.add_typer(message.app, rich_help_panel="Messages")
    for noun in (topic, group, dlq, producer, cluster, config, store, bench):
        app.add_typer(noun.app, rich_help_panel="Administration")
    doctor.add_command(app, panel="Administration")
    explain.add_command(app, panel="Help")


def main() -> None:
    """The entry point of `rmq` and `rocketmq-lite`."""
    server = next((name for name in sys.argv[1:2] if name in servers.NAMES), None)
    build(server=server)(prog_name="rmq")
