from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench import report, results, run
from bench.load import LoadError

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

WORKLOAD = """
title = "Idle"
kind = "idle"
figure = "idle_cpu_percent"
entrants = ["lite", "machine"]
quick = { entrants = ["lite"] }
"""


def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *options: str, failing: str = "") -> list[str]:
    """The order in which a run of three rounds asks for its entrants."""
    asked: list[str] = []

    def idle(server: str, _: Path, __: dict[str, Any]) -> dict[str, float]:
        asked.append(server)
        if server == failing:
            raise LoadError("it broke")
        return {"idle_cpu_percent": float(len(asked))}

    monkeypatch.setitem(run.RUNNERS_OWN, "idle", idle)
    (tmp_path / "idle.toml").write_text(WORKLOAD)
    into = str(tmp_path / "results")
    code = run.main(["--workloads", str(tmp_path), "--results", into, "--rounds", "3", *options])
    assert code == bool(failing)
    return asked


def test_rounds_are_interleaved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert measured(tmp_path, monkeypatch) == ["lite", "machine"] * 3
    (result,) = results.read_all(tmp_path / "results")
    assert result.samples == {
        "lite": [{"idle_cpu_percent": 1.0}, {"idle_cpu_percent": 3.0}, {"idle_cpu_percent": 5.0}],
        "machine": [{"idle_cpu_percent": 2.0}, {"idle_cpu_percent": 4.0}, {"idle_cpu_percent": 6.0}],
    }


def test_a_quick_run_has_its_own_entrants_and_says_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "never-quick.toml").write_text(WORKLOAD.replace("quick = ", "load = {} #"))
    assert measured(tmp_path, monkeypatch, "--quick", "--rounds", "1") == ["lite"]
    assert "1 of 1, 0 s so far, idle: Idle" in capsys.readouterr().out


def test_one_that_fails_is_said_and_does_not_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert measured(tmp_path, monkeypatch, failing="machine") == ["lite", "machine"] * 3
    (result,) = results.read_all(tmp_path / "results")
    assert len(result.samples["lite"]) == 3
    assert result.samples["machine"] == []
    assert result.failures == [f"machine, round {number}: it broke" for number in (1, 2, 3)]
    assert "failed: machine, round 2: it broke" in capsys.readouterr().out
    assert "Failed: machine, round 2: it broke" in (tmp_path / "results" / report.NAME).read_text()
