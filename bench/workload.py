"""What is measured: a workload is a file of workloads/, named by its shape.

title    what a reader sees
kind     send, bulk, drain or paced: done by a load program (loads/handshake.py)
         embedded: the same, without a server
         startup, idle: done by the runner itself
flush    async or sync: whether an acknowledgement waits for the disk
figure   which figure says most; it is drawn
entrants "server/client", ours first; each server is a module of drivers/, each client one of clients.py
load     fields of the job
quick    fields that differ in a quick run, and its entrants where it has fewer; a workload without it is left out of one
aims     what the figures are held against; see figures.Aim
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from bench.figures import Aim

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDER = Path(__file__).parent / "workloads"


@dataclass(frozen=True, slots=True)
class Entrant:
    """One server under the load of one client."""

    server: str
    client: str

    @classmethod
    def parse(cls, text: str) -> Entrant:
        """`server/client`, or a server alone where no load is needed."""
        server, _, client = text.partition("/")
        return cls(server, client)

    def __str__(self) -> str:
        return f"{self.server}/{self.client}" if self.client else self.server


@dataclass(frozen=True, slots=True)
class Workload:
    """One file of workloads/, see the top of this module."""

    name: str
    title: str
    kind: str
    figure: str
    entrants: tuple[Entrant, ...]
    flush: str = "async"
    load: Mapping[str, Any] = field(default_factory=dict)
    quick: Mapping[str, Any] | None = None
    aims: tuple[Aim, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Workload:
        """The workload in a file."""
        given = tomllib.loads(path.read_text())
        entrants = _entrants(given.pop("entrants"))
        aims = tuple(Aim(**aim) for aim in given.pop("aims", ()))
        return cls(name=path.stem, entrants=entrants, aims=aims, **given)

    def shortened(self) -> Self | None:
        """What a quick run measures of it; None when nothing."""
        if self.quick is None:
            return None
        changes = dict(self.quick)
        named = changes.pop("entrants", None)
        entrants = self.entrants if named is None else _entrants(named)
        return replace(self, entrants=entrants, load={**self.load, **changes})

    @property
    def job(self) -> dict[str, Any]:
        """The fields of the job that are the same for all entrants."""
        return {**self.load, "sync": self.flush == "sync"}


def _entrants(texts: Iterable[str]) -> tuple[Entrant, ...]:
    return tuple(Entrant.parse(text) for text in texts)


def read_all(folder: Path) -> list[Workload]:
    """All workloads, in the order of the report: a number at the front of each file's name."""
    return [Workload.read(path) for path in sorted(folder.glob("*.toml"))]
