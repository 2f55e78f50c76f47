"""The client: producers, consumers and administration over the remoting protocol, on Trio.

From the outside in: ``client`` (the object that ``connect`` yields), ``producer``, ``consumer`` and
``admin`` (what users hold), ``reader``, ``routing`` and ``heartbeats`` (what runs in the background),
``remote`` (one typed function a request). All decisions are made in ``engine``, which does no I/O.
"""
