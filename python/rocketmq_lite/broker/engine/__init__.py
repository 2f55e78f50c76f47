"""Pure decisions of the broker: tables in, plans out. No clock, no I/O, no await: ``now`` is always an argument."""
