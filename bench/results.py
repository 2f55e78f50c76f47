"""What a run leaves behind: a JSON file for each workload; the report is made of these."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.figures import Aim

FOLDER = Path(__file__).parent / "results"


@dataclass(slots=True)
class Entry:
    """One entrant's part: who it was, and a sample for each round."""

    server: str
    client: str
    durability: str
    samples: list[dict[str, float]] = field(default_factory=list)


@dataclass(slots=True)
class Result:
    """One workload of one run.

    Attributes:
        name: The workload's.
        title: What a reader sees.
        figure: The one that says most.
        job: What the load programs were given.
        commit: What was measured.
        measured_at: When, ISO 8601.
        machine: Where.
        aims: What the figures are held against.
        entries: By entrant, in the order of the workload.
        skipped: Entrants that are missing, and what to install.
        failures: What went wrong, and in which round; such a round has no sample.
    """

    name: str
    title: str
    figure: str
    job: dict[str, Any]
    commit: str
    measured_at: str
    machine: dict[str, str]
    aims: list[Aim]
    entries: dict[str, Entry] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @property
    def samples(self) -> dict[str, list[dict[str, float]]]:
        """All samples by entrant."""
        return {name: entry.samples for name, entry in self.entries.items()}


def write(result: Result, folder: Path) -> Path:
    """Keep a result, in place of an earlier one of the same workload."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.name}.json"
    path.write_text(json.dumps(asdict(result), indent=1, ensure_ascii=False) + "\n")
    return path


def read_all(folder: Path) -> list[Result]:
    """All results of a folder, in the order of their names."""
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def _read(path: Path) -> Result:
    given = json.loads(path.read_text())
    given["aims"] = [Aim(**aim) for aim in given["aims"]]
    given["entries"] = {name: Entry(**entry) for name, entry in given["entries"].items()}
    return Result(**given)
