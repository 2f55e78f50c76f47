"""From a body's dataclass to fastjson text and back: the one mechanism for all of them.

Reading is tolerant: unknown members are ignored, a missing one gets its default, numbers may come as text (but not
outside of what Java has room for: ``I32`` is its ``int``, a bare ``int`` its ``long``). Writing
is exact: Java's property names (``client_id`` -> ``clientId``, unless the field says ``key("clientID")``), ``None``
left out.

Surprise: a message queue may be the key of a map. fastjson writes it there as the object that it is, too.
"""

from __future__ import annotations

import dataclasses
import math
import types
from typing import TYPE_CHECKING, Any, Final, Self, get_args, get_origin, get_type_hints

from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.framing import json_dumps, json_loads
from rocketmq_lite.protocol.headers.shape import I32, camel_case, read_i32, read_i64
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["JsonBody"]


def _read_bool(value: object) -> bool:
    return value.lower() == "true" if isinstance(value, str) else bool(value)


def _read_int(value: object) -> int:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value!r} is not a number")
        value = int(value)
    if isinstance(value, (int, str)):
        return read_i64(str(int(value)))
    raise ValueError(f"{value!r} is not a number")


def _read_i32(value: object) -> int:
    return read_i32(str(_read_int(value)))


def _read_float(value: object) -> float:
    if isinstance(value, (int, float, str)):
        return float(value)
    raise ValueError(f"{value!r} is not a number")


def _read_str(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ValueError(f"{value!r} is not text")


def _read_queue(value: object) -> MessageQueue:
    members = dict(value) if isinstance(value, tuple) else _checked(value, dict)
    try:
        names = (_read_str(members["topic"]), _read_str(members["brokerName"]))
        return MessageQueue(*names, _read_int(members["queueId"]))
    except KeyError as error:
        raise ValueError(f"{value!r} is no queue") from error


_SCALARS: Final[dict[object, Callable[[object], object]]] = {
    bool: _read_bool,
    int: _read_int,
    I32: _read_i32,
    float: _read_float,
    str: _read_str,
    MessageQueue: _read_queue,
}


def _reader(hint: Any) -> Callable[[object], Any]:  # noqa: ANN401 - type hints have no better type
    """What reads a value of that type."""
    if get_origin(hint) is types.UnionType:
        (hint,) = (each for each in get_args(hint) if each is not types.NoneType)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if isinstance(hint, type) and issubclass(hint, JsonBody):
        return hint.from_json
    return _container_reader(hint)


def _container_reader(hint: Any) -> Callable[[object], Any]:  # noqa: ANN401
    arguments = [_reader(each) for each in get_args(hint) if each is not Ellipsis]
    if get_origin(hint) is tuple:
        return lambda value: tuple(arguments[0](each) for each in _checked(value, list))
    if get_origin(hint) is dict:
        read_key, read_value = arguments
        return lambda value: {read_key(k): read_value(v) for k, v in _checked(value, dict).items()}
    return lambda value: value


def _checked(value: object, kind: type[Any]) -> Any:  # noqa: ANN401
    if not isinstance(value, kind):
        raise ValueError(f"{value!r} is no {kind.__name__}")  # noqa: TRY004 - one error for all bad values
    return value


_LAYOUTS: dict[object, Any] = {}


def _layout(body: type[JsonBody]) -> tuple[tuple[str, str, Callable[[object], Any]], ...]:
    """Of a class, worked out once."""
    if body not in _LAYOUTS:
        _LAYOUTS[body] = _read_layout(body)
    found: tuple[tuple[str, str, Callable[[object], Any]], ...] = _LAYOUTS[body]
    return found


def _read_layout(body: type[JsonBody]) -> tuple[tuple[str, str, Callable[[object], Any]], ...]:
    hints = get_type_hints(body, include_extras=True)
    return tuple(
        (each.name, each.metadata.get("key") or camel_case(each.name), _reader(hints[each.name]))
        for each in dataclasses.fields(body)
    )


def _to_json(value: object) -> object:
    if isinstance(value, JsonBody):
        return value.to_json()
    if isinstance(value, MessageQueue):
        return dict(_queue_members(value))
    if isinstance(value, tuple):
        return [_to_json(each) for each in value]
    if isinstance(value, dict):
        return {_to_json_key(k): _to_json(v) for k, v in value.items()}
    return value


def _to_json_key(key: object) -> object:
    return _queue_members(key) if isinstance(key, MessageQueue) else key


def _queue_members(queue: MessageQueue) -> tuple[tuple[str, object], ...]:
    return (("brokerName", queue.broker_name), ("queueId", queue.queue_id), ("topic", queue.topic))


@dataclass(frozen=True, slots=True)
class JsonBody:
    """What all bodies can do."""

    def to_json(self) -> dict[str, object]:
        """The body as plain values, members under their Java names."""
        members = ((json_key, getattr(self, name)) for name, json_key, _ in _layout(type(self)))
        return {json_key: _to_json(value) for json_key, value in members if value is not None}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read plain values.

        Raises:
            LocalProtocolError: It is no object, or a member cannot be what it should be.
        """
        if not isinstance(value, dict):
            raise LocalProtocolError(f"{cls.__name__} should be an object, not {type(value).__name__}")
        members: dict[str, object] = {}
        for name, json_key, read in _layout(cls):
            found = value.get(json_key)
            if found is None:
                continue
            try:
                members[name] = read(found)
            except (ValueError, OverflowError) as error:
                raise LocalProtocolError(f"{cls.__name__}.{json_key}: {error}") from error
        try:
            return cls(**members)
        except TypeError as error:
            raise LocalProtocolError(f"{cls.__name__} lacks a member: {error}") from error

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a body's bytes.

        Raises:
            LocalProtocolError: They are not fastjson text, or not this body.
        """
        return cls.from_json(json_loads(data))

    def encode(self, *, standard: bool = False) -> bytes:
        """The body's bytes; ``standard`` quotes numeric keys, as clients from 4.9.4 on ask for."""
        return json_dumps(self.to_json(), standard=standard)
