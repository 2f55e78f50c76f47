"""KV configuration: (namespace, key) to text, and the text of its file. Pure; reading and writing are the server's."""

from __future__ import annotations

from typing import Final

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

    def picture(self) -> dict[str, object]:
        """The table as Apache's ``kvConfig.json`` has it."""
        return {"configTable": self._table}

    def restore(self, document: object) -> None:
        """Replace the table by what ``kvConfig.json`` says.

        Raises:
            ValueError: It is something else; the table is as before.
        """
        table = document.get("configTable") if isinstance(document, dict) else None
        if not isinstance(table, dict) or not all(isinstance(values, dict) for values in table.values()):
            raise ValueError("it has no table of tables named configTable")
        self._table = {
            str(namespace): {str(key): str(value) for key, value in values.items()}
            for namespace, values in table.items()
        }
