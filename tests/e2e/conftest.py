"""A name server and a broker as processes, shared by the tests of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.processes import Server, up

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`rmq up` on free ports."""
    with up(tmp_path_factory.mktemp("up")) as running:
        yield running


@pytest.fixture
def namesrv(server: Server) -> str:
    """Its name server's address."""
    return server.ready["namesrv"]
