"""Configuration files of a broker: Apache's ``broker.conf`` and our TOML, read into ``BrokerSettings``.

``kinds`` says how a value is written, ``keys`` which key is which setting, ``files`` reads.
"""

from rocketmq_lite.broker.conf.files import FileSettings, read_file
from rocketmq_lite.broker.conf.keys import as_properties, with_changes

__all__ = ["FileSettings", "as_properties", "read_file", "with_changes"]
