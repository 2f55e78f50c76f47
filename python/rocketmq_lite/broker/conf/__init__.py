"""Configuration files of a broker: Apache's ``broker.conf`` and our TOML, read into ``BrokerSettings``.

``kinds`` says how a value is written, ``keys`` which key is which setting, ``files`` reads; without a file, nobody needs it.
"""
