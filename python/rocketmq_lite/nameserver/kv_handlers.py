"""Requests about KV configuration: from command to table and back, on disk before a change is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.errors import BrokerError
from rocketmq_lite.protocol.bodies import KVTable
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.headers.route import (
    GetKVConfigResponseHeader,
    KVKeyRequestHeader,
    KVNamespaceRequestHeader,
    PutKVConfigRequestHeader,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rocketmq_lite.nameserver.engine.kv import KVConfig
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.transport.dispatch import Handler
    from rocketmq_lite.transport.server import Peer

__all__ = ["KVHandlers"]


class KVHandlers:
    """Answers requests from the table of namespaces.

    Args:
        kv: The table.
        save: Makes it durable; awaited before a change is answered.
    """

    def __init__(self, kv: KVConfig, save: Callable[[], Awaitable[None]]) -> None:
        self._kv = kv
        self._save = save

    def table(self) -> dict[int, Handler[Peer]]:
        """Which handler answers which code."""
        return {
            RequestCode.PUT_KV_CONFIG: self.put,
            RequestCode.GET_KV_CONFIG: self.get,
            RequestCode.DELETE_KV_CONFIG: self.delete,
            RequestCode.GET_KVLIST_BY_NAMESPACE: self.list_namespace,
        }

    async def put(self, _peer: Peer, request: Command) -> Command:
        """100: set a value."""
        header = PutKVConfigRequestHeader.from_fields(request.fields)
        self._kv.put(header.namespace, header.key, header.value)
        await self._save()
        return request.answer()

    async def get(self, _peer: Peer, request: Command) -> Command:
        """101: a value."""
        header = KVKeyRequestHeader.from_fields(request.fields)
        value = self._kv.get(header.namespace, header.key)
        if value is None:
            raise BrokerError(
                ResponseCode.QUERY_NOT_FOUND,
                f"No config item, Namespace: {header.namespace} Key: {header.key}",
            )
        return request.answer(fields=GetKVConfigResponseHeader(value).to_fields())

    async def delete(self, _peer: Peer, request: Command) -> Command:
        """102: remove a value, whether it is there or not."""
        header = KVKeyRequestHeader.from_fields(request.fields)
        self._kv.delete(header.namespace, header.key)
        await self._save()
        return request.answer()

    async def list_namespace(self, _peer: Peer, request: Command) -> Command:
        """219: the values of a namespace."""
        namespace = KVNamespaceRequestHeader.from_fields(request.fields).namespace
        table = self._kv.namespace(namespace)
        if table is None:
            raise BrokerError(ResponseCode.QUERY_NOT_FOUND, f"No config item, Namespace: {namespace}")
        return request.answer(body=KVTable(table).encode())
