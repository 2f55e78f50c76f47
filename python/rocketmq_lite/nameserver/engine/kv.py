"""KV configuration: (namespace, key) to text, and the text of its file. Pure; reading and writing are the server's."""

from __future__ import annotations

import json
from typing import Final

from rocketmq_lite.errors import ConfigError

__all__ = ["ORDER_TOPIC_NAMESPACE", "KVConfig"]

ORDER_TOPIC_NAMESPACE: Final = "ORDER_TOPIC_CONFIG"


class KVConfig:
    """The table."""

    def __init__(self) -> None:
        self._table: dict[str, dict[str, str]] = {}

    def put(self, namespace: str, key: str, value: str) -> None:
        """Set a value."""
        self._table.setdefault(namespace, {})[key] = value

    def get(self, namespace: str, key: str) -> str | None:
        """A value, if there is one."""
        return self._table.get(namespace, {}).get(key)

    def delete(self, namespace: str, key: str) -> None:
        """Remove a value; its namespace stays, as in Apache."""
        self._table.get(namespace, {}).pop(key, None)

    def namespace(self, name: str) -> dict[str, str] | None:
        """All values of a namespace; ``None`` for one that never had any."""
        found = self._table.get(name)
        return None if found is None else dict(found)

    def to_text(self) -> str:
        """The file's content, in Apache's shape."""
        return json.dumps({"configTable": self._table}, indent=2, sort_keys=True, ensure_ascii=False)

    def load(self, text: str) -> None:
        """Replace the table by a file's content.

        Raises:
            ConfigError: It is something else; the table is as before.
        """
        try:
            table = json.loads(text)["configTable"]
            self._table = {
                str(ns): {str(k): str(v) for k, v in values.items()} for ns, values in table.items()
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f"KV configuration cannot be read: {error}") from error
