"""A bug in the message engine ends the whole process, with a reason, and costs nothing that was acknowledged."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from tests.support.processes import Server, up
from tests.support.raw_client import RawClient, bodies

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_a_panic_of_the_reactor_ends_the_process_and_says_why(tmp_path: Path) -> None:
    arguments = ["up", "--data", str(tmp_path), "--namesrv-port", "0", "--broker-port", "0"]
    ready = tmp_path / "ready.json"
    with (
        Server(arguments, ready, module="tests.support.panicking_broker") as server,
        RawClient(server.ready["broker"]) as client,
    ):
        assert client.send("orders", b"before").code == 0
        code, out, err = server.interrupt(signal.SIGUSR1)
        with pytest.raises(OSError, match=r"closed|reset"):
            client.read()
    assert code == 1, err
    assert "the message engine has died: the rmq-reactor thread failed: asked for by a test" in err
    assert "please report" in err
    assert "Traceback" not in err
    assert "Traceback" not in out
    with up(tmp_path) as server, RawClient(server.ready["broker"]) as client:
        assert bodies(client.pull("orders", 0, 0).body) == [(0, b"before")]
