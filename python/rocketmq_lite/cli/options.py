"""Options that every command takes, before and after the subcommand, and how a command body is run.

Surprise: the options are declared once here and grafted onto each command's signature, because Typer reads
signatures. A value given after the subcommand wins over one given before it.
"""

from __future__ import annotations

import functools
import inspect
import logging
import sys
from dataclasses import fields, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Concatenate, ParamSpec

import trio
import typer

from rocketmq_lite.cli.failures import exit_code_of
from rocketmq_lite.cli.interrupt import heeding_ctrl_c
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

P = ParamSpec("P")

PANEL = "Global options"


class Output(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """What the global options say; None where one was not given.

    Attributes:
        namesrv: name servers, `host:port;host:port`.
        output: table or JSON; not given: a table on a terminal, JSON elsewhere.
        timeout: seconds that one request may take.
        verbose: how many times -v was given: 1 shows what happens, 2 shows debug records.
        yes: answer yes to every question.
        tls: encrypt connections.
        tls_ca: PEM file of those who vouch for servers, besides TLS itself being wanted.
    """

    namesrv: str | None = None
    output: Output | None = None
    timeout: float | None = None
    verbose: int | None = None
    yes: bool | None = None
    tls: bool | None = None
    tls_ca: Path | None = None

    def over(self, outer: GlobalOptions) -> GlobalOptions:
        """These options where given, else those of `outer`."""
        given = {f.name: value for f in fields(self) if (value := getattr(self, f.name))}
        return replace(outer, **given)

    @property
    def json(self) -> bool:
        """Whether to print JSON: asked for, or standard output is no terminal."""
        return self.output is Output.JSON or (self.output is None and not sys.stdout.isatty())

    @property
    def request_timeout(self) -> float:
        """Seconds for one request; 3 unless given, the client's own default (client-semantics section 7)."""
        return 3.0 if self.timeout is None else self.timeout


GLOBAL_OPTIONS: dict[str, object] = {
    "namesrv": Annotated[
        str | None,
        typer.Option(
            "-n",
            "--namesrv",
            metavar="HOST:PORT[;HOST:PORT]",
            help="Name servers; else $ROCKETMQ_NAMESRV, else $NAMESRV_ADDR, else 127.0.0.1:9876.",
            rich_help_panel=PANEL,
        ),
    ],
    "output": Annotated[
        Output | None,
        typer.Option("--output", help="Default: table on a terminal, JSON elsewhere.", rich_help_panel=PANEL),
    ],
    "timeout": Annotated[
        float | None,
        typer.Option(
            "--timeout", metavar="SECONDS", min=0.001, help="For one request.", rich_help_panel=PANEL
        ),
    ],
    "verbose": Annotated[
        int | None,
        typer.Option(
            "-v", "--verbose", count=True, help="Say what happens; -vv debugs.", rich_help_panel=PANEL
        ),
    ],
    "yes": Annotated[
        bool | None, typer.Option("--yes", help="Answer yes to every question.", rich_help_panel=PANEL)
    ],
    "tls": Annotated[
        bool | None, typer.Option("--tls", help="Talk TLS to the servers.", rich_help_panel=PANEL)
    ],
    "tls_ca": Annotated[
        Path | None,
        typer.Option(
            "--tls-ca",
            metavar="FILE",
            help="Talk TLS to servers that this PEM file vouches for; else the system has to.",
            rich_help_panel=PANEL,
        ),
    ],
}


def with_global_options(
    body: Callable[Concatenate[GlobalOptions, P], Awaitable[None] | None],
) -> Callable[..., None]:
    """Make a Typer command of `body(options, ...)`.

    The body may be async: it then runs under Trio. What it raises becomes text on standard error and an
    exit code, see `failures`. An option of its own takes the place of a global one of the same name.
    """
    own_parameters = list(inspect.signature(body, eval_str=True).parameters.values())[1:]
    shared = GLOBAL_OPTIONS.keys() - {parameter.name for parameter in own_parameters}

    @functools.wraps(body)
    def command(ctx: typer.Context, **given: object) -> None:
        own = GlobalOptions(**{name: given.pop(name) for name in shared})  # type: ignore[arg-type]
        outer = ctx.obj if isinstance(ctx.obj, GlobalOptions) else GlobalOptions()
        options = own.over(outer)
        set_up_logging(options.verbose or 0)
        code = run(functools.partial(body, options, **given))  # type: ignore[arg-type]
        if code:
            raise typer.Exit(code)

    del command.__wrapped__
    _graft_signature(command, own_parameters)
    return command


def run(body: Callable[[], Awaitable[None] | None]) -> int:
    """Run a body, under Trio when it is async, and return the exit code; errors are printed."""
    try:
        if inspect.iscoroutinefunction(getattr(body, "func", body)):
            trio.run(_run, body)  # type: ignore[arg-type]
        else:
            body()
    except BaseException as error:  # noqa: BLE001 - this is the edge: every ending becomes an exit code
        return exit_code_of(error)
    return 0


async def _run(body: Callable[[], Awaitable[None]]) -> None:
    with heeding_ctrl_c():
        await body()


def set_up_logging(verbose: int) -> None:
    """Log to standard error: warnings, with -v what happens, with -vv everything."""
    level = {0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
    logging.basicConfig(
        level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )


def global_options_callback(**own: object) -> Callable[..., None]:
    """The callback of the root command: it keeps the global options given before the subcommand.

    `own` are more parameters of the root, name to annotation, all with the default None.
    """

    def callback(ctx: typer.Context, **given: object) -> None:
        ctx.obj = GlobalOptions(**{name: given[name] for name in GLOBAL_OPTIONS})  # type: ignore[arg-type]

    extra = [_keyword(name, annotation) for name, annotation in own.items()]
    _graft_signature(callback, extra)
    return callback


def _graft_signature(command: Callable[..., None], own: list[inspect.Parameter]) -> None:
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    names = {parameter.name for parameter in own}
    shared = [_keyword(name, annotation) for name, annotation in GLOBAL_OPTIONS.items() if name not in names]
    keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    signature = inspect.Signature([context, *keyword_only, *shared])
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__annotations__ = {name: p.annotation for name, p in signature.parameters.items()}


def _keyword(name: str, annotation: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
