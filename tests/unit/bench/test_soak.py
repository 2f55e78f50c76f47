"""The page of a soak."""

from __future__ import annotations

from bench.soak.report import render
from bench.soak.run import Plan, Seen, Tenth


def test_runs_stand_side_by_side():
    plain = Seen(
        Plan("plain", 1_000_000),
        tenths=[Tenth(200_000.0, 2.5), Tenth(150_000.0, 2.6)],
        memory=42.4,
        head_alone=(0.2, 1.5),
    )
    keys = Seen(Plan("keys", 1_000_000), tenths=[Tenth(100_000.0, 5.0)] * 2, uncovered_bytes=12_000_000)
    page = render([plain, keys])
    assert "| | 1,000,000 messages, without unique keys | 1,000,000 messages, with unique keys |" in page
    assert "| last tenth of the first (aim 0.90) | 0.75 | 1.00 |" in page
    assert "| most private memory, RssAnon (aim under 150 MB) | 42 MB | 0 MB |" in page
    assert "| send to receipt at the head, p50 / p99 | 0.20 / 1.50 ms | 0.00 / 0.00 ms |" in page
    assert "| log that no checkpoint covered at SIGKILL | 0 MB | 12 MB |" in page
