"""`make demo`, with fewer lines."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parent.parent.parent / "examples" / "demo.py"


def test_two_members_get_every_line_once_and_in_order(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, DEMO, "--lines", "5000"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    figures = {
        name: int(figure.replace(",", ""))
        for name, figure in re.findall(r"^(\w+(?: \d)?) +([\d,]+)", run.stdout, re.MULTILINE)
    }
    assert figures["sent"] == figures["received"] == figures["member 1"] + figures["member 2"] == 5000
    assert min(figures["member 1"], figures["member 2"]) > 0
    assert figures["repeated"] == figures["disordered"] == 0
