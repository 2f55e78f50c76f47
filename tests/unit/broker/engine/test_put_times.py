"""How long sends took in the last minute, out of counts that only grow."""

from __future__ import annotations

from rocketmq_lite.broker.engine.put_times import PutTimes

EDGES = (0, 1, 5, 10, 50, 100, 200, 500, 1_000, 2_000, 3_000, 4_000, 5_000, 10_000)


def counts(**sends: int) -> list[tuple[int, int]]:
    """What the engine says; ``_5=2`` are two sends of 5 ms and more."""
    return [(edge, sends.get(f"_{edge}", 0)) for edge in EDGES]


def test_apaches_groups() -> None:
    times = PutTimes()
    times.sample(0, counts())
    times.sample(
        1, counts(_0=1, _1=2, _5=3, _10=4, _50=5, _100=6, _200=7, _500=8, _1000=9, _5000=10, _10000=11)
    )
    assert times.distribution() == (
        "[<=0ms]:1 [0~10ms]:5 [10~50ms]:4 [50~100ms]:5 [100~200ms]:6 [200~500ms]:7 [500ms~1s]:8 [1~2s]:9 "
        "[2~3s]:0 [3~4s]:0 [4~5s]:0 [5~10s]:10 [10s~]:11 "
    )


def test_only_the_last_minute_counts() -> None:
    times = PutTimes()
    for now in range(0, 130, 10):
        times.sample(now, counts(_0=now))
    assert times.distribution().startswith("[<=0ms]:60 ")


def test_percentiles_lie_in_the_class_of_their_send() -> None:
    times = PutTimes()
    times.sample(0, counts())
    times.sample(1, counts(_0=98, _10=1, _10000=1))
    assert times.percentile(0.5) < 1
    assert 10 < times.percentile(0.985) < 50
    assert times.percentile(0.99) == 50
    assert times.percentile(0.999) == 10_000


def test_without_sends_there_is_nothing_to_say() -> None:
    times = PutTimes()
    assert times.percentile(0.99) == 0
    times.sample(0, counts(_500=3))
    assert times.percentile(0.99) == 0
    assert "[500ms~1s]:0" in times.distribution()
