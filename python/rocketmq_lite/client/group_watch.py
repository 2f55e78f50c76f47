"""Looks now and then whether the members of our group contradict each other, and tells the application.

The members take turns, so that a large group is not asked by everybody: of ``n`` members each asks in every ``n``-th minute.
Nothing is asked while members come and go, when it is normal that two of them read a queue for a moment.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.client.engine.events import GroupProblem
from rocketmq_lite.errors import RocketMQError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from rocketmq_lite.client.consumer_settings import ConsumerSettings
    from rocketmq_lite.client.engine.diagnosis import Problem

__all__ = ["GroupWatch"]

_log = logging.getLogger(__name__)

_INTERVAL: Final = 60.0
"""Seconds between two looks of a group at itself: three times what a member may take to hear of another."""


class GroupWatch:
    """Finds problems of one group.

    Args:
        settings: The group.
        members: Who is in it, as we last heard.
        find: Asks for the problems of a group's members.
    """

    def __init__(
        self,
        settings: ConsumerSettings,
        *,
        members: Callable[[], tuple[str, ...]],
        find: Callable[[str], Awaitable[Sequence[Problem]]],
    ) -> None:
        self._settings = settings
        self._members = members
        self._find = find
        self._known: frozenset[Problem] = frozenset()

    async def run(self) -> None:
        """Look for ever."""
        turn = 0
        before = self._members()
        while True:
            await trio.sleep(_INTERVAL)
            turn += 1
            members = self._members()
            if len(members) > 1 and members == before and turn % len(members) == 0:
                await self._look()
            before = members

    async def _look(self) -> None:
        try:
            found = await self._find(self._settings.group)
        except RocketMQError as error:
            _log.info("group %s could not be looked at: %s", self._settings.group, error)
            return
        for problem in found:
            if problem not in self._known:
                _log.warning("group %s: %s; %s", self._settings.group, problem.text, problem.hint)
                self._settings.tell(GroupProblem(problem))
        self._known = frozenset(found)
