"""Apache's ``mqadmin``: runs the tool's own main method, and reads what it prints.

Its exit code says nothing (it is 0 after a failure too), so all that counts is the text. Each parser takes
the text of one command.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.interop.judge import Judge


class MqAdminError(Exception):
    """The tool printed an exception; ``code`` is the number in it, where it has one."""

    def __init__(self, output: str) -> None:
        super().__init__(output)
        found = re.search(r"CODE: (\d+)", output)
        self.code = int(found[1]) if found else None


class MqAdmin:
    """Runs commands against one name server: the tool's main method, in a JVM that does only this."""

    def __init__(self, judge: Judge, namesrv: str) -> None:
        self._judge = judge
        self._namesrv = namesrv

    def run(self, *arguments: str) -> str:
        """What a command printed.

        Raises:
            MqAdminError: it printed an exception.
        """
        printed = self._judge.mqadmin(*arguments, "-n", self._namesrv)
        if re.search(r"Exception(:|$)", printed, re.MULTILINE):  # not where it is part of a property's name
            raise MqAdminError(printed)
        return printed


def topic_names(output: str) -> list[str]:
    """topicList: one name a line."""
    return output.split()


def route(output: str) -> dict[str, Any]:
    """topicRoute: JSON but for its keys, which are bare numbers where a map's keys are broker ids."""
    parsed: dict[str, Any] = json.loads(re.sub(r"^(\s*)(\d+):", r'\1"\2":', output, flags=re.MULTILINE))
    return parsed


def rows(output: str) -> list[dict[str, str]]:
    """The rows of a table, by the names of its columns; two blanks or more part columns from each other."""
    found: list[dict[str, str]] = []
    columns: list[str] = []
    for line in output.splitlines():
        cells = re.split(r"\s{2,}", line.strip())
        if line.startswith("#"):
            columns = [cell.removeprefix("#") for cell in cells]
        elif columns and len(cells) == len(columns):
            found.append(dict(zip(columns, cells, strict=True)))
    return found


def totals(output: str) -> dict[str, str]:
    """Lines of a name, a colon and a value: brokerStatus, and what stands below some tables."""
    return dict(re.findall(r"^(\w[^:\n]*?) *: (.*?) *$", output, re.MULTILINE))


def subscriptions(output: str) -> dict[str, str]:
    """consumerConnection: the expression for each topic; the names of topics are cut off by one blank only."""
    _, _, table = output.partition("#SubExpression")
    lines = table.lstrip().split("\n\n")[0].splitlines()
    return {topic: expression.strip() for topic, expression in (line.split(maxsplit=1) for line in lines)}


def changed_addresses(output: str) -> set[str]:
    """updateTopic and updateSubGroup: the brokers that took the change."""
    return set(re.findall(r"^create (?:topic|subscription group) to (\S+) success\.$", output, re.MULTILINE))


def message(output: str) -> dict[str, str]:
    """queryMsgById and queryMsgByOffset: the fields before the list of who consumed the message."""
    fields = re.findall(r"^([A-Z][A-Za-z ]+): +(.*)$", output, re.MULTILINE)
    return {name: value.strip() for name, value in fields}


def consumed(output: str) -> list[tuple[str, int, int]]:
    """consumeMessage: message id, queue and offset of each message in the order printed."""
    found = re.findall(
        r"^MSGID: (\w+) MessageExt \[.*?queueId=(\d+),.*?queueOffset=(\d+),", output, re.MULTILINE
    )
    return [(name, int(queue), int(offset)) for name, queue, offset in found]


def consumed_directly(output: str) -> dict[str, str]:
    """queryMsgById with a group and a member: how the member's work on the message ended."""
    found = re.search(r"ConsumeMessageDirectlyResult \[(.*)\]", output)
    assert found is not None, output
    return dict(pair.split("=", 1) for pair in found[1].split(", "))


def settings(output: str) -> dict[str, str]:
    """getBrokerConfig: a name, an equals sign in blanks, and a value on each line."""
    return dict(re.findall(r"^(\S+) +=  ?(.*?) *$", output, re.MULTILINE))
