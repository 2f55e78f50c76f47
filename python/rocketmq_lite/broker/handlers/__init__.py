"""Answers to the requests that the message engine does not know: a file a family, each given what it needs and no more.

Rules:
- A handler raises ``BrokerError`` to refuse, with the code and remark that the requester gets; bad header fields and
  bodies raise ``LocalProtocolError`` by themselves and are answered 1.
- A code without a handler is answered 3. That is how a client learns what this broker cannot do; nothing is faked.
"""
