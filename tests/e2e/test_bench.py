"""The bench itself, on the smallest workloads: what it runs, what it skips, and what it leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bench import measure, report, results, run
from bench.drivers.lite_tls import LiteTls
from bench.drivers.nats import Nats
from bench.load import LoadError

if TYPE_CHECKING:
    from pathlib import Path

# A dozen processes are started, on a machine that may have other work.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

WORKLOADS = {
    "10-send": 'kind = "send"\nload = { outstanding = 8, seconds = 0.2, warm_up = 0.1 }',
    "20-bulk": 'kind = "bulk"\nload = { count = 1000 }',
    "30-drain": 'kind = "drain"\nload = { count = 1000, keep = "tag" }',
    "40-paced": 'kind = "paced"\nload = { rate = 100, seconds = 0.2, warm_up = 0.1 }',
}


@pytest.fixture
def workloads(tmp_path: Path) -> Path:
    folder = tmp_path / "workloads"
    folder.mkdir()
    shared = 'title = "A title"\nfigure = "rate"\nentrants = ["lite/lite", "nats/nats"]\n'
    aim = '\n[[aims]]\nentrant = "lite/lite"\nfigure = "rate"\nat_least = 1\n'
    for name, own in WORKLOADS.items():
        (folder / f"{name}.toml").write_text(shared + own + aim)
    return folder


def test_a_run_measures_ours_and_names_what_is_missing(
    workloads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Nats, "missing", lambda _: "nats-server (how to get it)")
    into = tmp_path / "results"
    assert run.main(["--workloads", str(workloads), "--results", str(into), "--rounds", "1"]) == 0

    found = {result.name: result for result in results.read_all(into)}
    assert found.keys() == WORKLOADS.keys()
    for name, result in found.items():
        # Its Python package may be missing, too.
        assert result.skipped.keys() == {"nats/nats"}
        assert result.skipped["nats/nats"].startswith("nats-server (how to get it)")
        (ours,) = result.entries.values()
        assert ours.durability == "--flush async"
        (sample,) = ours.samples
        assert sample["rate"] > 0
        assert sample["server_rss_mb"] > sample["server_anon_mb"] > 0
        assert {"server_cpu_us", "client_cpu_us"} <= sample.keys()
        assert ("p99_us" in sample) == (name in {"10-send", "40-paced"})

    page = (into / report.NAME).read_text()
    assert page.count("| lite/lite | rate ≥ 1 /s |") == len(WORKLOADS)
    assert "not measured" not in page
    assert (into / report.CHART).exists()
    printed = capsys.readouterr().out
    assert "nats/nats: skipped, it needs nats-server (how to get it)" in printed
    assert str(into / report.NAME) in printed


def test_a_server_with_tls_takes_no_plain_load(tmp_path: Path) -> None:
    driver = LiteTls()
    job = {"kind": "send", "topic": "first", "seconds": 0.1, "warm_up": 0}
    with driver.launch(tmp_path, "async") as running:
        driver.await_first_ack(running)
        sample, _ = measure.loaded("lite", running, job)
        assert sample["rate"] > 0
        running.trust = ""
        with pytest.raises(LoadError, match="NoNameServer"):
            measure.loaded("lite", running, job)


def test_a_name_that_no_workload_has_is_refused(workloads: Path) -> None:
    with pytest.raises(SystemExit, match="no workload begins with 99"):
        run.main(["--workloads", str(workloads), "--only", "99"])
