"""The broker: what it decides per client, per topic and per cluster, around the engine that moves the bytes.

Reading order: ``server`` wires everything and owns the nursery; ``events`` is what the engine tells us; ``plane``
and ``pump`` are the two owners of the engine; ``handlers`` answers the requests that the engine does not know;
``services`` are the background loops; ``engine`` is pure and decides.
"""
