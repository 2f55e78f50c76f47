"""The wheel in an empty environment: the documented example, and `rmq up` with a send, from nothing but the wheel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SNIPPET = Path(__file__).parent / "test_snippet.py"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment that holds the wheel and what it depends on."""
    work = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "maturin", "build", "--release", "--locked", "--quiet", "--out", str(work)],
        cwd=ROOT,
        check=True,
    )
    wheels = list(work.glob("*.whl"))
    assert len(wheels) == 1
    assert "-cp311-abi3-" in wheels[0].name
    subprocess.run([sys.executable, "-m", "venv", str(work / "env")], check=True)
    pip = [str(work / "env" / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, str(wheels[0]), "pytest", "pytest-trio"], check=True, cwd=work)
    return work / "env"


def outside(environment: Path) -> dict[str, str]:
    """The caller's environment without what would let the source tree be imported."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV", "PYTEST", "COV"))
    }
    return kept | {"PATH": f"{environment / 'bin'}{os.pathsep}{kept['PATH']}"}


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_the_snippet_runs_from_the_wheel(environment: Path, tmp_path: Path) -> None:
    copy = tmp_path / SNIPPET.name
    copy.write_bytes(SNIPPET.read_bytes())
    run = subprocess.run(
        [str(environment / "bin" / "python"), "-m", "pytest", "-q", "-o", "trio_mode=true", str(copy)],
        cwd=tmp_path,
        env=outside(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_up_from_the_wheel(environment: Path, tmp_path: Path) -> None:
    rmq = str(environment / "bin" / "rmq")
    ready = tmp_path / "ready.json"
    arguments = ["up", "--data", str(tmp_path / "data"), "--namesrv-port", "0", "--broker-port", "0"]
    with subprocess.Popen(
        [rmq, *arguments, "--ready-file", str(ready)],
        cwd=tmp_path,
        env=outside(environment),
        stdout=subprocess.DEVNULL,
    ) as server:
        try:
            deadline = time.monotonic() + 30
            while not ready.exists() and time.monotonic() < deadline:
                time.sleep(0.01)  # another process: its file is the only event
            namesrv = json.loads(ready.read_text())["namesrv"]
            sent = subprocess.run(
                [rmq, "msg", "send", "wheel", "hello", "-n", namesrv],
                cwd=tmp_path,
                env=outside(environment),
                capture_output=True,
                check=True,
            )
            assert json.loads(sent.stdout)["status"] == "SEND_OK"
        finally:
            server.terminate()
    assert server.returncode == 0
