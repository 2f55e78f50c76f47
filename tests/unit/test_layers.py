"""The one import rule that import-linter cannot see: it does not know compiled modules."""

from __future__ import annotations

import ast
from pathlib import Path

import rocketmq_lite

PACKAGE = Path(rocketmq_lite.__file__).parent
DOORS = {
    "protocol/framing.py",
    "protocol/conditions.py",
    "model.py",
    "storage.py",
    "client/engine/process_queue.py",
    "broker/exchange.py",
    "broker/owner.py",
    "broker/plane.py",
    "broker/pump.py",
    "broker/start.py",
    "transport/tls_listener.py",
}


def imports_native(source: Path) -> bool:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
        elif isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        else:
            continue
        if any(name.startswith("rocketmq_lite._native") for name in names):
            return True
    return False


def test_the_extension_has_few_doors() -> None:
    found = {str(source.relative_to(PACKAGE)) for source in PACKAGE.rglob("*.py") if imports_native(source)}
    assert found <= DOORS
    assert "protocol/framing.py" in found
