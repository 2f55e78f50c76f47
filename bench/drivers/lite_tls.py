"""RocketMQ Lite that takes nothing but TLS, for load programs that encrypt."""

from __future__ import annotations

import contextlib
import importlib.util
from typing import TYPE_CHECKING

from bench.drivers.lite import Lite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.drivers.driver import Running


class LiteTls(Lite):
    """The driver."""

    title = "RocketMQ Lite, TLS"

    def missing(self) -> str | None:
        """What makes certificates, which is no dependency of the package."""
        if importlib.util.find_spec("trustme") is None:
            return "Python package trustme (make check installs it)"
        return None

    @contextlib.contextmanager
    def launch(self, directory: Path, flush: str, *options: str) -> Iterator[Running]:
        """The same process, with a certificate made for it. A plain connection is refused."""
        from tests.support import certificates  # needs what missing() asks for

        directory.mkdir(parents=True, exist_ok=True)
        made = certificates.made(directory)
        shown = ("--tls", "enforcing", "--tls-cert", str(made.server), "--tls-key", str(made.server_key))
        with super().launch(directory, flush, *shown, *options) as running:
            running.trust = str(made.authority)
            yield running
