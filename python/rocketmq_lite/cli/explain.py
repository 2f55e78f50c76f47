"""`rmq explain`: what a code means. The texts are those of `protocol.explanations`, as are the hints of errors."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from rocketmq_lite.cli import completion
from rocketmq_lite.cli.failures import UsageFault
from rocketmq_lite.cli.options import GlobalOptions, with_global_options
from rocketmq_lite.cli.render import show_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rocketmq_lite.protocol.codes import RequestCode, ResponseCode


def explain(
    options: GlobalOptions,
    code: Annotated[
        str,
        typer.Argument(
            metavar="CODE",
            help="A number or a name of a response or request code: 17, TOPIC_NOT_EXIST, PULL_MESSAGE.",
            show_default=False,
            autocompletion=completion.codes,
        ),
    ],
) -> None:
    """Explain a code that a server answered, or that a request has."""
    responses, requests = _find(code)
    records = [*map(_response, responses), *map(_request, requests)]
    if options.json:
        show_rows(records, options, empty="")
        return
    sys.stdout.write("\n".join(map(_text, records)))


def _text(record: Mapping[str, object]) -> str:
    """A paragraph for a person."""
    lines = [f"{record['code']} {record['name']} (a {record['kind']})", f"  meaning  {record['meaning']}"]
    if record["kind"] == "request":
        lines.append(f"  server   {record['answered_by']}")
        return "\n".join(lines) + "\n"
    lines.append(f"  why      {record['cause']}")
    if record["advice"]:
        lines.append(f"  try      {record['advice']}")
    if record["retryable"]:
        lines.append("  retry    worthwhile: later, or at another broker")
    return "\n".join(lines) + "\n"


def _find(text: str) -> tuple[list[ResponseCode], list[RequestCode]]:
    """The codes of that number or name; a number may be one of each."""
    from rocketmq_lite.protocol.codes import RequestCode, ResponseCode

    wanted = text.strip().upper()
    number = int(wanted) if wanted.lstrip("-").isdecimal() else None
    responses = [each for each in ResponseCode if each.value == number or each.name == wanted]
    requests = [each for each in RequestCode if each.value == number or each.name == wanted]
    if not responses and not requests:
        raise UsageFault(f"{text} is no code of RocketMQ", hint=_hint(wanted, [*ResponseCode, *RequestCode]))
    return responses, requests


def _hint(wanted: str, codes: Iterable[ResponseCode | RequestCode]) -> str:
    from difflib import get_close_matches

    names = [each.name for each in codes]
    close = get_close_matches(wanted, names, n=3) or [name for name in names if wanted in name][:3]
    return (
        f"did you mean {', '.join(close)}?" if close else "give a number, or a name such as TOPIC_NOT_EXIST"
    )


def _response(code: ResponseCode) -> dict[str, object]:
    from rocketmq_lite.errors import BrokerError
    from rocketmq_lite.protocol.explanations import RESPONSES

    explained = RESPONSES[code]
    return {
        "kind": "response",
        "code": code.value,
        "name": code.name,
        "meaning": explained.meaning,
        "cause": explained.cause,
        "advice": explained.advice or None,
        "retryable": BrokerError(code).retryable,
    }


def _request(code: RequestCode) -> dict[str, object]:
    from rocketmq_lite.protocol.explanations import REQUESTS
    from rocketmq_lite.protocol.registry import REGISTRY, Role

    names = {Role.NAME_SERVER: "name server", Role.BROKER: "broker", Role.CLIENT: "client"}
    return {
        "kind": "request",
        "code": code.value,
        "name": code.name,
        "meaning": REQUESTS[code],
        "answered_by": " or ".join(
            text for role, text in names.items() if role in REGISTRY[code].answered_by
        ),
    }


def add_command(app: typer.Typer, *, panel: str) -> None:
    """Make it a command of the root."""
    app.command("explain", rich_help_panel=panel)(with_global_options(explain))
