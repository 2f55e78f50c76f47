from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from bench import report, results
from bench.figures import Aim
from bench.results import Entry, Result

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"


def a_result() -> Result:
    return Result(
        name="20-sends",
        title="Sends & more",
        figure="rate",
        job={"size": 1024},
        commit="abc1234",
        measured_at="2026-11-27T05:00:00+00:00",
        machine={"cpu": "2 of something"},
        aims=[
            Aim("lite/lite", "rate", at_least=1.5, times="nats/nats"),
            Aim("lite/lite", "p50_us", at_most=150),
            Aim("lite/lite", "rate", at_least=1, times="kafka/confluent"),
        ],
        entries={
            "lite/lite": Entry(
                "RocketMQ Lite 0.1.0", "0.1.0", "--flush async", [{"rate": 30_000.0, "p50_us": 160.0}] * 2
            ),
            "nats/nats": Entry(
                "NATS 2", "nats-py 2", "2m", [{"rate": 12_000.0}, {"rate": 10_000.0}, {"rate": 11_000.0}]
            ),
        },
        skipped={"kafka/confluent": "a JDK (how to get it)"},
    )


def test_results_come_back_as_they_were_written(tmp_path: Path) -> None:
    results.write(a_result(), tmp_path)
    assert results.read_all(tmp_path) == [a_result()]


def test_a_page_has_figures_aims_and_who_was_skipped(tmp_path: Path) -> None:
    results.write(a_result(), tmp_path)
    page = report.write(tmp_path).read_text()
    assert "| 20-sends | lite/lite | rate ≥ 1.5 times nats/nats | 30,000 /s | 16,500 /s | yes |" in page
    assert "| 20-sends | lite/lite | p50_us ≤ 150 µs | 160 µs | 150 µs | **no** |" in page
    assert "| 20-sends | lite/lite | rate ≥ 1 times kafka/confluent | 30,000 /s | - | not measured |" in page
    assert "| nats/nats | 11,000 (10,000 to 12,000) | - | NATS 2 | nats-py 2 | 2m |" in page
    assert "Skipped: kafka/confluent, which needs a JDK (how to get it)." in page
    assert "abc1234" in page


def test_a_chart_has_a_bar_for_each_entrant_as_long_as_its_median(tmp_path: Path) -> None:
    results.write(a_result(), tmp_path)
    report.write(tmp_path)
    drawn = ET.parse(tmp_path / report.CHART).getroot()
    bars = [float(bar.get("width", "")) for bar in drawn.iter(f"{SVG}rect") if bar.get("x")]
    assert bars[1] / bars[0] == pytest.approx(11 / 30, rel=0.01)
    texts = [text.text for text in drawn.iter(f"{SVG}text")]
    assert "Sends & more (rate, /s)" in texts
    assert {"lite/lite", "nats/nats", "30,000", "11,000"} <= set(texts)


def test_without_results_there_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"python -m bench\.run"):
        report.write(tmp_path)
