"""Run `rmq` as a user would, as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        """What was printed, parsed; each test knows the shape it expects."""
        return json.loads(self.out)


def rmq(*arguments: str, stdin: bytes = b"", namesrv: str | None = None, timeout: float = 60.0) -> Run:
    """`rmq ARGUMENTS` with the environment's name server, if any, replaced by `namesrv`."""
    environment = {k: v for k, v in os.environ.items() if k not in {"ROCKETMQ_NAMESRV", "NAMESRV_ADDR"}}
    if namesrv is not None:
        environment["ROCKETMQ_NAMESRV"] = namesrv
    done = subprocess.run(
        [sys.executable, "-m", "rocketmq_lite", *arguments],
        input=stdin,
        capture_output=True,
        env=environment,
        timeout=timeout,
        check=False,
    )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())
