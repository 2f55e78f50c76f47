"""The options of servers about TLS."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rocketmq_lite.config import TlsSettings

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


ModeOption = Annotated[
    Mode | None,
    typer.Option(
        "--tls",
        help="Take plain connections, both, or TLS only.",
        show_default="permissive",
        rich_help_panel=PANEL,
    ),
]
CertificateOption = Annotated[
    Path | None,
    typer.Option("--tls-cert", metavar="FILE", help="Certificate chain, PEM.", rich_help_panel=PANEL),
]
KeyOption = Annotated[
    Path | None,
    typer.Option("--tls-key", metavar="FILE", help="Its private key, PEM.", rich_help_panel=PANEL),
]
TrustOption = Annotated[
    Path | None,
    typer.Option(
        "--tls-ca",
        metavar="FILE",
        help="PEM file of those who vouch for clients, and for name servers.",
        rich_help_panel=PANEL,
    ),
]
ClientOption = Annotated[
    ClientCertificate | None,
    typer.Option(
        "--tls-client-auth",
        help="Whether clients have to show a certificate.",
        show_default="none",
        rich_help_panel=PANEL,
    ),
]


def tls_settings(
    mode: Mode | None,
    *,
    certificate: Path | None,
    key: Path | None,
    trust: Path | None,
    clients: ClientCertificate | None,
) -> TlsSettings | None:
    """What the options say; ``None`` if none of them was given.

    Raises:
        ConfigError: They contradict each other.
    """
    from rocketmq_lite.config import TlsSettings

    if all(given is None for given in (mode, certificate, key, trust, clients)):
        return None
    return TlsSettings(
        mode=(mode or Mode.PERMISSIVE).value,
        certificate=certificate,
        key=key,
        trust=trust,
        client_auth=(clients or ClientCertificate.NONE).value,
    )
