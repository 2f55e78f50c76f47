"""Arguments and options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from rocketmq_lite.cli import completion
from rocketmq_lite.cli.failures import UsageFault

PERMS = ("rw", "r", "w")

TopicArgument = Annotated[
    str,
    typer.Argument(metavar="T", help="The topic.", show_default=False, autocompletion=completion.topics),
]
GroupArgument = Annotated[
    str,
    typer.Argument(
        metavar="G", help="The consumer group.", show_default=False, autocompletion=completion.groups
    ),
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster", help="Only on the brokers of this cluster.", autocompletion=completion.clusters
    ),
]
BrokerOption = Annotated[
    str | None, typer.Option("--broker", help="Only on this broker.", autocompletion=completion.brokers)
]
SystemOption = Annotated[bool, typer.Option("--system", help="Show those that RocketMQ itself uses, too.")]


def refuse_both(cluster: str | None, broker: str | None) -> None:
    """A change goes to a cluster or to a broker.

    Raises:
        UsageFault: Both are given.
    """
    if cluster and broker:
        raise UsageFault("--cluster and --broker exclude each other", hint="leave one of them out")


def check_perm(perm: str) -> str:
    """A permission as it is typed.

    Raises:
        UsageFault: It is none.
    """
    if perm not in PERMS:
        raise UsageFault(f"--perm {perm} is no permission", hint=f"one of {', '.join(PERMS)}")
    return perm
