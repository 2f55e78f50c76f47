"""Reading our configuration documents: what ``json_loads`` returned, with the shape we need or a refusal."""

from __future__ import annotations

from rocketmq_lite.errors import LocalProtocolError


def member(document: object, name: str) -> object:
    """A member of an object.

    Raises:
        LocalProtocolError: There is no such object or member.
    """
    if not isinstance(document, dict) or name not in document:
        raise LocalProtocolError(f"the document has no member {name!r}")
    return document[name]


def members(document: object, name: str) -> dict[object, object]:
    """A member that is itself an object; a missing one counts as empty.

    Raises:
        LocalProtocolError: The document or the member is something else.
    """
    if not isinstance(document, dict):
        raise LocalProtocolError("the document is not an object")
    value = document.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise LocalProtocolError(f"the member {name!r} is not an object")
    return value


def table(document: object, name: str) -> dict[object, object]:
    """The member that a document is there for: one without it is not what it should be, rather than empty.

    Raises:
        LocalProtocolError: There is none, or it is something else.
    """
    member(document, name)
    return members(document, name)


def whole_number(value: object) -> int:
    """A number that may have been written as text, as map keys are.

    Raises:
        LocalProtocolError: It is neither.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise LocalProtocolError(f"{value!r} is not a whole number")
    try:
        return int(value)
    except ValueError as error:
        raise LocalProtocolError(f"{value!r} is not a whole number") from error
