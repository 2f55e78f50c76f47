"""One round of one entrant, by the kind of the workload."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any

from bench import clients
from bench.drivers import DRIVERS
from bench.figures import UNITS
from bench.load import LoadProgram
from bench.proc import cpu_seconds, resident_mb

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.drivers.driver import Driver, Running


def prepare(driver: Driver, running: Running, job: dict[str, object]) -> None:
    """Make the topic, and fill it when there is to be a backlog."""
    if driver.prepares_with:
        given = {**job, "kind": "prepare", "address": running.address, "trust": running.trust}
        with LoadProgram(clients.command(driver.prepares_with), given) as load:
            load.run()


def loaded(client: str, running: Running, job: dict[str, object]) -> tuple[dict[str, float], str]:
    """What a load program and the processor time of both sides show; and the client's version."""
    where = {"address": running.address, "trust": running.trust, "entry": running.entry}
    given = {**job, **where, "pids": running.worker_pids}
    with LoadProgram(clients.command(client), given) as load:
        version = str(load.ready()["version"])
        server, own = cpu_seconds(running.worker_pids), cpu_seconds([load.pid])
        load.go()
        report = load.done()
        server, own = cpu_seconds(running.worker_pids) - server, cpu_seconds([load.pid]) - own
        # A filter's work is what the server looks at, not what it lets through.
        handled = int(str(job["count"])) if job["kind"] == "drain" else report["messages"]
        sample = {
            "rate": report["messages"] / report["seconds"],
            "client_cpu_us": own / handled * 1e6,
            "client_rss_mb": resident_mb([load.pid]),
        }
        if running.worker_pids:
            sample |= {"server_cpu_us": server / handled * 1e6, **_memory(running)}
        # What a load program knows better than an onlooker: latencies, and its own counting when it has one.
        sample |= {name: report[name] for name in UNITS if name in report}
    return sample, version


def start_up(name: str, directory: Path, _: Mapping[str, Any]) -> dict[str, float]:
    """A server on an empty directory, from the start of its process to the first acknowledged message."""
    driver = DRIVERS[name]
    begun = time.perf_counter()
    with driver.launch(directory, "async") as running:
        driver.await_first_ack(running)
        taken = time.perf_counter() - begun
    shutil.rmtree(directory)
    return {"start_ms": taken * 1000}


def idle(name: str, directory: Path, job: Mapping[str, Any]) -> dict[str, float]:
    """A server that has taken one message and has nothing more to do, when it has settled for the job's warm-up."""
    driver = DRIVERS[name]
    with driver.launch(directory, "async") as running:
        driver.await_first_ack(running)
        # Idleness has no event to wait for.
        time.sleep(job["warm_up"])
        before = cpu_seconds(running.pids)
        time.sleep(job["seconds"])
        used = cpu_seconds(running.pids) - before
        sample = {"idle_cpu_percent": used / job["seconds"] * 100, **_memory(running)}
    shutil.rmtree(directory)
    return sample


def _memory(running: Running) -> dict[str, float]:
    return {
        "server_rss_mb": resident_mb(running.pids),
        "server_anon_mb": resident_mb(running.pids, "RssAnon"),
    }
