"""`rmq` as ever, but SIGUSR1 makes the thread of its message engine panic: started with `python -m`, as a process."""

from __future__ import annotations

import signal

from rocketmq_lite.__main__ import main
from rocketmq_lite.broker.plane import ReactorOwner

_listen = ReactorOwner.listen


async def _listen_and_heed(owner: ReactorOwner) -> None:
    await _listen(owner)
    signal.signal(signal.SIGUSR1, lambda *_: owner._reactor.panic())


if __name__ == "__main__":
    ReactorOwner.listen = _listen_and_heed  # type: ignore[assignment, method-assign]
    main()
