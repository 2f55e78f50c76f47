"""The remoting protocol without I/O: commands, headers, bodies and one peer's state.

Rules: nothing here imports trio, socket, time, random, os or threading; ``framing`` alone imports the
extension. Bytes come in as arguments and go out as return values, so that every test is a function call.
"""
