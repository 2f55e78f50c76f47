"""Any bytes give a value, "need more" or RemoteProtocolError; what is written is read again."""

from __future__ import annotations

import contextlib
import dataclasses
import struct
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.passes import decode_three_ways, events

from rocketmq_lite.errors import LocalProtocolError, RemoteProtocolError
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol import bodies
from rocketmq_lite.protocol.bodies import RegisterBrokerBody, TopicConfig
from rocketmq_lite.protocol.bodies.shape import JsonBody
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.connection import CLOSED, NEED_DATA, Connection
from rocketmq_lite.protocol.framing import (
    decode_messages,
    decode_properties,
    encode_properties,
    json_dumps,
    json_loads,
    parse_offset_id,
)
from rocketmq_lite.protocol.headers.shape import I32, Header
from rocketmq_lite.protocol.registry import REGISTRY

HEADERS = sorted(
    {kind for spec in REGISTRY.values() for kind in (spec.request, spec.response) if kind},
    key=lambda kind: kind.__name__,
)
BODIES = [
    body
    for name in bodies.__all__
    if isinstance(body := getattr(bodies, name), type) and issubclass(body, JsonBody)
]

few = settings(max_examples=30)  # per header and body; there are many

i32 = st.integers(-(2**31), 2**31 - 1)
i64 = st.integers(-(2**63), 2**63 - 1)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
filled = text.filter(bool)
fields = st.dictionaries(filled, filled, max_size=5)


@st.composite
def commands(draw: st.DrawFn) -> Command:
    return Command(
        code=draw(st.integers(-2000, 32_767)),
        opaque=draw(i32),
        flag=draw(st.integers(0, 3)),
        language=draw(st.sampled_from(["JAVA", "PYTHON", "GO", "RUST", "OTHER"])),
        version=draw(st.integers(0, 32_767)),
        remark=draw(st.none() | filled),
        fields=draw(fields),
        body=draw(st.binary(max_size=50)),
        codec=draw(st.sampled_from(["JSON", "ROCKETMQ"])),
    )


def whole_frame(codec: int, header: bytes, body: bytes) -> bytes:
    return struct.pack(">II", 4 + len(header) + len(body), codec << 24 | len(header)) + header + body


frames_of_garbage = st.builds(
    whole_frame, st.sampled_from([0, 0, 1, 1, 2]), st.binary(max_size=60), st.binary(max_size=10)
)


@given(st.lists(st.binary() | frames_of_garbage, max_size=6))
def test_any_bytes_give_commands_or_need_data_or_an_error(pieces: list[bytes]) -> None:
    connection = Connection(max_frame=200)
    with contextlib.suppress(RemoteProtocolError):
        for piece in filter(None, pieces):
            connection.receive_data(piece)
            while (event := connection.next_event()) is not NEED_DATA:
                assert isinstance(event, Command)
        connection.receive_data(b"")
        assert connection.next_event() is CLOSED


@given(st.lists(commands(), max_size=4))
def test_commands_survive_the_trip_however_they_are_cut(sent: list[Command]) -> None:
    assert decode_three_ways(b"".join(Connection().send(command) for command in sent)) == sent


@given(st.lists(commands(), min_size=1, max_size=4), st.data())
def test_commands_before_garbage_are_not_lost(sent: list[Command], data: st.DataObject) -> None:
    connection = Connection()
    stream = b"".join(connection.send(command) for command in sent) + b"\xff" * 8
    cut = data.draw(st.integers(1, len(stream) - 1))
    got: list[Command] = []
    with contextlib.suppress(RemoteProtocolError):
        for piece in (stream[:cut], stream[cut:]):
            connection.receive_data(piece)
            while isinstance(event := connection.next_event(), Command):
                got.append(event)
    assert got == sent


@given(st.lists(st.tuples(i32, st.binary(max_size=9)), max_size=8))
def test_two_ends_back_to_back(requests: list[tuple[int, bytes]]) -> None:
    client, server = Connection(), Connection()
    sent = [Command(code & 0x7FFF, opaque=client.next_opaque(), body=body) for code, body in requests]
    received = events(server, [client.send(command) for command in sent])
    answers = events(client, [server.send(command.answer(body=command.body)) for command in received])
    assert [(a.opaque, a.body) for a in answers] == [(c.opaque, c.body) for c in sent]


# --- headers ----------------------------------------------------------------------------------------

_VALUES: dict[object, st.SearchStrategy[Any]] = {
    int: i64,
    I32: i32,
    str: text,
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    object: st.integers(0, 9),
    MessageQueue: st.builds(MessageQueue, text, text, i32),
}


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type."""
    if hint in _VALUES:
        return _VALUES[hint]
    if isinstance(hint, type) and issubclass(hint, JsonBody):
        return instances(hint)
    arguments = get_args(hint)
    if type(None) in arguments:
        (inner,) = (each for each in arguments if each is not type(None))
        return st.none() | values(inner)
    if Ellipsis in arguments:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=3)


def instances(kind: type[Any]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind, include_extras=True)
    return st.builds(kind, **{each.name: values(hints[each.name]) for each in dataclasses.fields(kind)})


@pytest.mark.parametrize("kind", HEADERS, ids=lambda kind: kind.__name__)
def test_headers_survive_the_trip(kind: type[Header]) -> None:
    @few
    @given(instances(kind))
    def check(header: Header) -> None:
        assert kind.from_fields(header.to_fields()) == header

    check()


@pytest.mark.parametrize("kind", HEADERS, ids=lambda kind: kind.__name__)
def test_any_fields_give_a_header_or_our_error(kind: type[Header]) -> None:
    keys = list(kind.from_fields(_Anything()).to_fields())

    @few
    @given(st.dictionaries(st.sampled_from(keys), text | i64.map(str)))
    def check(found: dict[str, str]) -> None:
        with contextlib.suppress(LocalProtocolError):
            kind.from_fields(found)

    if keys:
        check()


class _Anything(dict[str, str]):
    """Has every key."""

    def get(self, _key: str, _default: Any = None) -> str:
        return "1"


# --- bodies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", BODIES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("standard", [False, True])
def test_bodies_survive_the_trip(kind: type[JsonBody], standard: bool) -> None:
    @few
    @given(instances(kind))
    def check(body: JsonBody) -> None:
        assert kind.decode(body.encode(standard=standard)) == body

    check()


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | i64 | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(text, inner, max_size=3)
        | st.dictionaries(i32, inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("kind", BODIES, ids=lambda kind: kind.__name__)
def test_any_json_gives_a_body_or_our_error(kind: type[JsonBody]) -> None:
    keys = [_key(each) for each in dataclasses.fields(kind)]

    @few
    @given(st.dictionaries(st.sampled_from(keys), json_values))
    def check(members: dict[str, object]) -> None:
        with contextlib.suppress(LocalProtocolError):
            kind.from_json(members).encode()

    check()


def _key(field: dataclasses.Field[Any]) -> str:
    return field.metadata.get("key") or "".join(_camel(field.name))


def _camel(name: str) -> list[str]:
    first, *rest = name.split("_")
    return [first, *(word.capitalize() for word in rest)]


topic_names = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=10)


@given(
    instances(bodies.DataVersion),
    st.dictionaries(topic_names, st.tuples(i32, i32, st.integers(0, 7)), max_size=4),
)
def test_registrations_survive_the_trip(
    version: bodies.DataVersion, table: dict[str, tuple[int, int, int]]
) -> None:
    body = RegisterBrokerBody(version, {name: TopicConfig(name, *numbers) for name, numbers in table.items()})
    assert RegisterBrokerBody.decode(body.encode(), version=479) == body
    assert RegisterBrokerBody.decode(body.encode_compressed(), version=479) == body


@given(st.binary() | st.binary().map(lambda data: b"\x78" + data), st.integers(0, 600))
def test_any_bytes_are_a_registration_or_our_error(data: bytes, version: int) -> None:
    with contextlib.suppress(LocalProtocolError):
        RegisterBrokerBody.decode(data, version=version)


# --- what else comes through framing ----------------------------------------------------------------


@given(json_values)
def test_json_survives_the_trip(value: object) -> None:
    data = json_dumps(value)
    assert json_dumps(json_loads(data)) == data
    # In the standard dialect numeric keys come back as text; nothing else may change.
    standard = json_loads(json_dumps(value, standard=True))
    assert json_loads(json_dumps(standard, standard=True)) == standard


@given(st.binary())
def test_any_bytes_are_json_or_messages_or_our_error(data: bytes) -> None:
    for read in (json_loads, decode_messages):
        with contextlib.suppress(LocalProtocolError):
            read(data)


@given(st.dictionaries(topic_names, topic_names, max_size=5))
def test_properties_survive_the_trip(pairs: dict[str, str]) -> None:
    assert decode_properties(encode_properties(pairs)) == pairs


@given(st.text())
def test_any_text_is_an_id_or_none(found: str) -> None:
    parse_offset_id(found)
    decode_properties(found)
