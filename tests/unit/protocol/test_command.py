"""Commands: answers, flags, and the codec rule."""

from __future__ import annotations

import pytest

from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode, request_name, response_name
from rocketmq_lite.protocol.command import FLAG_ONEWAY, Command
from rocketmq_lite.protocol.framing import CommandDecoder, encode_command


def test_an_answer_keeps_opaque_and_codec() -> None:
    request = Command(105, opaque=7, language="JAVA", version=401, codec="JSON")
    answer = request.answer(17, remark="no", fields={"a": "b"}, body=b"x")
    assert answer == Command(17, opaque=7, flag=1, remark="no", fields={"a": "b"}, body=b"x", codec="JSON")
    assert (answer.language, answer.version) == ("PYTHON", 479)
    assert (answer.is_response, answer.is_oneway) == (True, False)


def test_a_oneway_request_is_the_same_with_a_flag() -> None:
    request = Command(15, opaque=3, flag=FLAG_ONEWAY)
    assert (request.flag, request.is_oneway, request.is_response) == (2, True, False)


@pytest.mark.parametrize("code", [200_050, 40_000])
def test_a_code_too_large_for_the_binary_header_travels_as_json(code: int) -> None:
    (decoded,) = CommandDecoder().feed(encode_command(Command(code, codec="ROCKETMQ")))
    assert (decoded.code, decoded.codec) == (code, "JSON")


@pytest.mark.parametrize(
    "command",
    [
        Command(1, opaque=1 << 40),
        Command(1, version=1 << 20),
        Command(1, fields={"k": "v" * (1 << 24)}),
        Command(1, fields={"k" * 40_000: "v"}),
    ],
)
def test_what_does_not_fit_into_a_frame_is_our_fault(command: Command) -> None:
    with pytest.raises(LocalProtocolError):
        encode_command(command)


def test_codes_have_names_and_strangers_numbers() -> None:
    assert request_name(RequestCode.HEART_BEAT) == "HEART_BEAT"
    assert response_name(ResponseCode.TOPIC_NOT_EXIST) == "TOPIC_NOT_EXIST"
    assert (request_name(-5), response_name(999_999)) == ("-5", "999999")
