"""The broker under test: one process, started, stopped, killed and started again on the same directory."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

from tests.support.raw_client import RawClient

if TYPE_CHECKING:
    from pathlib import Path

READY_WITHIN = 120.0
_UPDATE_AND_CREATE_TOPIC = 17
_GET_MAX_OFFSET = 30
# The store may fill the disk further than a broker would by itself allow.
_CONFIGURATION = "diskMaxUsedSpaceRatio=95\n"


class Broker:
    """`rmq broker`, without a name server."""

    def __init__(self, directory: Path) -> None:
        self.store = directory / "data" / "store"
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self.address = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> float:
        """Seconds from the start of the process until it takes requests."""
        ready, configuration = self._directory / "ready.json", self._directory / "broker.conf"
        ready.unlink(missing_ok=True)
        configuration.write_text(_CONFIGURATION)
        command = [sys.executable, "-m", "rocketmq_lite", "broker", "-c", str(configuration), "--port", "0"]
        begun = time.perf_counter()
        self._process = subprocess.Popen(
            [*command, "--data", str(self._directory / "data"), "--ready-file", str(ready)],
            stdout=subprocess.DEVNULL,
            stderr=(self._directory / "log").open("ab"),
        )
        while not ready.exists():
            if self._process.poll() is not None or time.perf_counter() - begun > READY_WITHIN:
                raise RuntimeError(f"the broker did not start: {(self._directory / 'log').read_text()}")
            time.sleep(0.002)
        took = time.perf_counter() - begun
        self.address = json.loads(ready.read_text())["broker"]
        return took

    def stop(self) -> float:
        """Seconds that stopping in order took."""
        assert self._process is not None
        begun = time.perf_counter()
        self._process.send_signal(signal.SIGTERM)
        if self._process.wait() != 0:
            raise RuntimeError(f"the broker failed: {(self._directory / 'log').read_text()}")
        return time.perf_counter() - begun

    def kill(self) -> None:
        """SIGKILL; nothing happens when it has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def create_topic(self, topic: str, queues: int) -> None:
        """A topic with so many queues."""
        fields = {
            "topic": topic,
            "defaultTopic": "TBW102",
            "readQueueNums": queues,
            "writeQueueNums": queues,
            "perm": 6,
            "topicFilterType": "SINGLE_TAG",
            "topicSysFlag": 0,
            "order": "false",
        }
        with RawClient(self.address) as client:
            answer = client.call(_UPDATE_AND_CREATE_TOPIC, fields)
            if answer.code != 0:
                raise RuntimeError(f"the topic was refused: {answer}")

    def messages(self, topic: str, queues: int) -> int:
        """How many messages the queues hold."""
        with RawClient(self.address) as client:
            asked = [
                client.call(_GET_MAX_OFFSET, {"topic": topic, "queueId": queue}) for queue in range(queues)
            ]
        return sum(int(answer.fields["offset"]) for answer in asked)
