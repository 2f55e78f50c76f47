"""The systems that can be measured, by the name that workloads use. A driver is a small adapter, a file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.drivers.apache import Apache
from bench.drivers.kafka import Kafka
from bench.drivers.lite import Lite
from bench.drivers.lite_tls import LiteTls
from bench.drivers.machine import Machine
from bench.drivers.nats import Nats
from bench.drivers.null import Null
from bench.drivers.redis import Redis

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.drivers.driver import Driver

DRIVERS: Mapping[str, Driver] = {
    "lite": Lite(),
    "lite-tls": LiteTls(),
    "apache": Apache(),
    "nats": Nats(),
    "kafka": Kafka(),
    "redis": Redis(),
    "null": Null(),
    "machine": Machine(),
}
