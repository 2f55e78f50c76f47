"""The load generators: how each is started, and what it needs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from functools import cache
from pathlib import Path

from bench.drivers import jars, rmq_load

ROOT = Path(__file__).parent.parent
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
"""The interpreter that has the peers' packages; `make bench-peers` makes it. They are no dependencies of ours."""

_PACKAGES = {"nats": "nats", "confluent": "confluent_kafka", "aiokafka": "aiokafka", "redis": "redis"}
_OURS = ("lite", "raw", "write")
NAMES = (*_OURS, "java", *_PACKAGES)


def missing(client: str) -> str | None:
    """What has to be installed before a client can run; None when nothing."""
    if client == "raw":
        return rmq_load.missing()
    if client in _OURS:
        return None
    if client == "java":
        return jars.missing()
    package = _PACKAGES[client]
    return None if _has(package) else f"Python package {package} (make bench-peers)"


def command(client: str) -> list[str]:
    """The command line of a client's load program."""
    if client == "java":
        return jars.java(
            jars.class_path("rocketmq"),
            "load.Load",
            options=("-Drmq.logback.configurationFile=quiet.logback.xml",),
        )
    python = sys.executable if client in _OURS else _python_with(_PACKAGES[client])
    return [python, "-m", f"bench.loads.{client}"]


def _has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None or _peers_have(package)


def _python_with(package: str) -> str:
    return str(PEERS_PYTHON) if _peers_have(package) else sys.executable


@cache
def _peers_have(package: str) -> bool:
    if not PEERS_PYTHON.exists():
        return False
    done = subprocess.run([PEERS_PYTHON, "-c", f"import {package}"], capture_output=True, check=False)
    return done.returncode == 0
