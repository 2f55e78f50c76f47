"""The name server's decisions: no I/O, no clock; ``now`` is an argument."""
