"""Apache's Go client: our driver built with it (go/)."""

from __future__ import annotations

from pathlib import Path

from tests.interop.toolchain import BuildError, build_once, output_of_failure

_PROJECT = Path(__file__).parent / "go"
_TARGET = _PROJECT / "target"
_PROGRAM = _TARGET / "judge"


def build() -> Path:
    """Build the driver if it is out of date and return its path."""
    build_once([_PROJECT / "go.mod", _PROJECT / "go.sum", *sorted(_PROJECT.glob("*.go"))], _TARGET, _run_go)
    return _PROGRAM


def _run_go() -> None:
    # As go.mod and go.sum say it, and without asking git what state the tree is in.
    command = ["go", "build", "-mod=readonly", "-buildvcs=false", "-o", str(_PROGRAM), "."]
    output = output_of_failure(command, directory=_PROJECT)
    if output is not None:
        raise BuildError(f"{' '.join(command)} failed:\n{output}")
