"""Consumer groups: create, change, delete, list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.protocol.bodies import SubscriptionGroupConfig, SubscriptionGroupList
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.framing import json_dumps
from rocketmq_lite.protocol.headers.group import (
    DeleteSubscriptionGroupRequestHeader,
    GetSubscriptionGroupConfigRequestHeader,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rocketmq_lite.broker.catalog import Catalog
    from rocketmq_lite.broker.events import Caller
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.transport.dispatch import Handler


class GroupHandlers:
    """Requests about consumer groups."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def table(self) -> dict[int, Handler[Caller]]:
        """Which request each method answers."""
        return {
            RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP: self.put,
            RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST: self.put_all,
            RequestCode.DELETE_SUBSCRIPTIONGROUP: self.remove,
            RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG: self.show,
            RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG: self.show_all,
        }

    async def put(self, _caller: Caller, request: Command) -> Command:
        """Create a group or change it."""
        await self._put([SubscriptionGroupConfig.decode(request.body)])
        return request.answer()

    async def put_all(self, _caller: Caller, request: Command) -> Command:
        """Create or change several groups; none, if one of them cannot be."""
        await self._put(SubscriptionGroupList.decode(request.body).group_config_list)
        return request.answer()

    async def remove(self, _caller: Caller, request: Command) -> Command:
        """Delete a group; one that is not there is deleted already."""
        header = DeleteSubscriptionGroupRequestHeader.from_fields(request.fields)
        await self._catalog.remove_group(header.group_name, clean_offsets=bool(header.clean_offset))
        return request.answer()

    async def show(self, _caller: Caller, request: Command) -> Command:
        """The settings of a group, which is created by this question if groups are created by use."""
        name = GetSubscriptionGroupConfigRequestHeader.from_fields(request.fields).group
        return request.answer(body=(await self._catalog.ensure_group(name)).encode())

    async def show_all(self, _caller: Caller, request: Command) -> Command:
        """The settings of all groups, with the version of the whole."""
        return request.answer(body=json_dumps(self._catalog.groups.picture()))

    async def _put(self, wanted: Iterable[SubscriptionGroupConfig]) -> None:
        planned = [self._catalog.groups.plan_update(each) for each in wanted]
        for group in filter(None, planned):
            await self._catalog.put_group(group)
