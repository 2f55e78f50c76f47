"""Trio meets the protocol: networks, servers that answer commands, pools that send them.

Everything here works over any ``trio.abc.Stream`` under any Trio clock; sockets are in ``network`` alone.
"""
