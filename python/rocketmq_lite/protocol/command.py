"""RemotingCommand: the one message of the protocol, request or response.

Codec rule: a peer is answered in the codec it used. The binary header holds 16 bits of code, so codes
above 32767 (the pop family) always travel as JSON; ``Connection.send`` sees to that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FLAG_ONEWAY", "FLAG_RESPONSE", "LANGUAGE", "VERSION", "Codec", "Command"]

Codec = Literal["JSON", "ROCKETMQ"]

FLAG_RESPONSE: Final = 1
FLAG_ONEWAY: Final = 2

VERSION: Final = 479
"""The version we report: 5.3.3. GO_AWAY is understood, and standard JSON routes are asked for by it."""

LANGUAGE: Final = "PYTHON"
"""The language we report; 4.9 peers know it."""


@dataclass(frozen=True, slots=True)
class Command:
    """One request or response.

    Attributes:
        code: Request code, or response code with 0 for success.
        opaque: Correlation id, chosen by the requester and echoed by the responder.
        flag: Bit 0 marks a response, bit 1 a request that is not answered.
        language: The sender's language by name.
        version: The sender's version number (479 is 5.3.3).
        remark: Text for people, mostly with errors.
        fields: The header's fields as text (Java's ``extFields``).
        body: What follows the header.
        codec: How the header is, or was, encoded.
    """

    code: int
    opaque: int = 0
    flag: int = 0
    language: str = LANGUAGE
    version: int = VERSION
    remark: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    codec: Codec = "ROCKETMQ"

    @property
    def is_response(self) -> bool:
        """Whether this answers a request."""
        return self.flag & FLAG_RESPONSE != 0

    @property
    def is_oneway(self) -> bool:
        """Whether this is a request that must not be answered, also not on error."""
        return self.flag & FLAG_ONEWAY != 0

    def answer(
        self,
        code: int = 0,
        *,
        remark: str | None = None,
        fields: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Command:
        """The response to this request: same opaque and codec, our language and version."""
        return Command(
            code=int(code),
            opaque=self.opaque,
            flag=FLAG_RESPONSE,
            remark=remark,
            fields={} if fields is None else fields,
            body=body,
            codec=self.codec,
        )
