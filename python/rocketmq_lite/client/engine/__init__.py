"""What a client decides, without doing it: no sockets, clock, chance or environment in here.

Each module takes what happened and ``now`` and answers what to do; ``client.session``,
``client.producer`` and ``client.consumer`` do it.
"""
