"""Certificates for tests: an authority, a server's and a client's certificate from it, as PEM files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of PEM files. The server's certificate is for 127.0.0.1 and localhost."""

    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def made(directory: Path) -> Certificates:
    """A new authority and what it vouches for."""
    authority = trustme.CA()
    certificates = Certificates(
        *(directory / name for name in ("ca.pem", "server.pem", "server.key", "client.pem", "client.key"))
    )
    authority.cert_pem.write_to_path(str(certificates.authority))
    for leaf, chain, key in (
        (authority.issue_cert("127.0.0.1", "localhost"), certificates.server, certificates.server_key),
        (authority.issue_cert("client@example.org"), certificates.client, certificates.client_key),
    ):
        chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        key.write_bytes(leaf.private_key_pem.bytes())
    return certificates
