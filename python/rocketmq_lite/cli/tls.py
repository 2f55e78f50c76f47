"""The options of servers about TLS, declared once and grafted onto each command, as the global ones are."""

from __future__ import annotations

import functools
import inspect
import logging
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rocketmq_lite.config import TlsSettings

_log = logging.getLogger(__name__)

PANEL = "TLS"


class Mode(StrEnum):
    """Which connections a server takes: plain ones, both, or TLS only."""

    DISABLED = "disabled"
    PERMISSIVE = "permissive"
    ENFORCING = "enforcing"


class ClientCertificate(StrEnum):
    """Whether clients have to show a certificate."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRE = "require"


TLS_OPTIONS: dict[str, object] = {
    "tls_config": Annotated[
        Path | None,
        typer.Option(
            "--tls-config",
            metavar="FILE",
            help="Apache's tls.properties; the other options win over it.",
            rich_help_panel=PANEL,
        ),
    ],
    "tls": Annotated[
        Mode | None,
        typer.Option(
            "--tls",
            help="Take plain connections, both, or TLS only.",
            show_default="permissive",
            rich_help_panel=PANEL,
        ),
    ],
    "tls_cert": Annotated[
        Path | None,
        typer.Option("--tls-cert", metavar="FILE", help="Certificate chain, PEM.", rich_help_panel=PANEL),
    ],
    "tls_key": Annotated[
        Path | None,
        typer.Option("--tls-key", metavar="FILE", help="Its private key, PEM.", rich_help_panel=PANEL),
    ],
    "tls_ca": Annotated[
        Path | None,
        typer.Option(
            "--tls-ca",
            metavar="FILE",
            help="PEM file of those who vouch for clients, and for name servers.",
            rich_help_panel=PANEL,
        ),
    ],
    "tls_client_auth": Annotated[
        ClientCertificate | None,
        typer.Option(
            "--tls-client-auth",
            help="Whether clients have to show a certificate.",
            show_default="none",
            rich_help_panel=PANEL,
        ),
    ],
}


def with_tls_options(body: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Have a command of `body(options, ..., tls)` take the options above; the body gets what they say together.

    That is None if none of them was given. They may raise ConfigError: where they contradict each other, or the file
    says what cannot be.
    """

    @functools.wraps(body)
    async def command(*args: object, **given: object) -> None:
        chosen = {name: given.pop(name) for name in TLS_OPTIONS}
        await body(*args, **given, tls=_settings(**chosen))  # type: ignore[arg-type]

    signature = inspect.signature(body, eval_str=True)
    own = [parameter for parameter in signature.parameters.values() if parameter.name != "tls"]
    kind = inspect.Parameter.KEYWORD_ONLY
    shared = [
        inspect.Parameter(name, kind, default=None, annotation=annotation)
        for name, annotation in TLS_OPTIONS.items()
    ]
    command.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]
    return command


def _settings(
    *,
    tls_config: Path | None,
    tls: Mode | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_ca: Path | None,
    tls_client_auth: ClientCertificate | None,
) -> TlsSettings | None:
    options = {
        "mode": tls and tls.value,
        "certificate": tls_cert,
        "key": tls_key,
        "trust": tls_ca,
        "client_auth": tls_client_auth and tls_client_auth.value,
    }
    given = {name: value for name, value in options.items() if value is not None}
    if tls_config is None and not given:
        return None
    from rocketmq_lite.config import TlsSettings
    from rocketmq_lite.transport.tls_file import read_tls_properties

    changes = {} if tls_config is None else read_tls_properties(tls_config, _log.warning)
    return TlsSettings(**{**changes, **given})  # type: ignore[arg-type]
