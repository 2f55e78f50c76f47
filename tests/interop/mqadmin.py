"""Apache's ``mqadmin``: runs the tool as its start script does, and reads what it prints.

Its exit code says nothing (it is 0 after a failure too), so all that counts is the text. Each parser takes
the text of one command.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.maven import Java

_MAIN = "org.apache.rocketmq.tools.command.MQAdminStartup"
_SECONDS = 120
# The columns of clusterList that hold no blanks, from the left.
_CLUSTER_COLUMNS = ("cluster", "broker", "id", "address", "version")


class MqAdminError(Exception):
    """The tool printed an exception; ``code`` is the number in it, where it has one."""

    def __init__(self, output: str) -> None:
        super().__init__(output)
        found = re.search(r"CODE: (\d+)", output)
        self.code = int(found[1]) if found else None


class MqAdmin:
    """Runs commands against one name server, each in a JVM of its own as a user's shell does."""

    def __init__(self, java: Java, home: Path, namesrv: str) -> None:
        self._java = java
        self._home = home
        self._namesrv = namesrv

    def run(self, *arguments: str) -> str:
        """What a command printed.

        Raises:
            MqAdminError: it printed an exception.
        """
        command = self._java.command(_MAIN, *arguments, "-n", self._namesrv, home=self._home, heap="256m")
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
            env={**os.environ, "HOME": str(self._home), "ROCKETMQ_HOME": str(self._home)},
        )
        if done.returncode != 0 or "Exception" in done.stdout:
            raise MqAdminError(done.stdout)
        return done.stdout


def topic_names(output: str) -> list[str]:
    """topicList: one name a line."""
    return output.split()


def route(output: str) -> dict[str, Any]:
    """topicRoute: JSON but for its keys, which are bare numbers where a map's keys are broker ids."""
    parsed: dict[str, Any] = json.loads(re.sub(r"^(\s*)(\d+):", r'\1"\2":', output, flags=re.MULTILINE))
    return parsed


def cluster_rows(output: str) -> list[dict[str, str]]:
    """clusterList: a row for each broker. Read are the columns at both ends: those between hold blanks."""
    rows = [line.split() for line in output.splitlines() if line.strip() and not line.startswith("#")]
    return [dict(zip(_CLUSTER_COLUMNS, row, strict=False)) | {"activated": row[-1]} for row in rows]


def changed_addresses(output: str) -> set[str]:
    """updateTopic and updateSubGroup: the brokers that took the change."""
    return set(re.findall(r"^create (?:topic|subscription group) to (\S+) success\.$", output, re.MULTILINE))


def message(output: str) -> dict[str, str]:
    """queryMsgById and queryMsgByUniqueKey: the fields before the list of who consumed the message."""
    fields = re.findall(r"^([A-Z][A-Za-z ]+): +(.*)$", output, re.MULTILINE)
    return {name: value.strip() for name, value in fields}


def key_rows(output: str) -> list[tuple[str, str, str]]:
    """queryMsgByKey: message id, queue and queue offset of each message."""
    return re.findall(r"^([0-9A-F]{32,})\s+(\d+)\s+(\d+)\b", output, re.MULTILINE)
