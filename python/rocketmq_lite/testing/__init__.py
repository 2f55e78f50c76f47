"""For tests of programs that use RocketMQ Lite: networks and clocks that a test controls."""

from rocketmq_lite.testing.network import MemoryNetwork, MemoryNetworkStatistics

__all__ = ["MemoryNetwork", "MemoryNetworkStatistics"]
