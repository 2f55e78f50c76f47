"""Apache's own programs as judges: what a test here gets to work with.

Needs a JDK, Maven and Go. Without them the run stops and says so: a judge that was not heard is not a pass. Every
test here carries the marker ``interop``, which `make test` leaves out.
"""

from __future__ import annotations

import itertools
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.interop import apache, golang, lite, maven, toolchain
from tests.interop import judge as judges
from tests.interop.messages import STORED, tagged
from tests.interop.mqadmin import MqAdmin

from rocketmq_lite.protocol import framing

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tests.interop.judge import Event, Judge
    from tests.interop.maven import Java
    from tests.interop.servers import Cluster

_HERE = Path(__file__).parent
_SECONDS_FOR_A_TEST = 300
_numbers = itertools.count(1)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, None, None]:
    """Mark what is collected here, and refuse to run what -m left of it without the tools it needs."""
    items[:] = [item for item in items if not _is_needless(item)]
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.interop)
            item.add_marker(pytest.mark.timeout(_SECONDS_FOR_A_TEST))
    yield
    missing = toolchain.missing_tools()
    if missing and any(item.path.is_relative_to(_HERE) for item in items):
        hint = "install them (Debian: apt-get install default-jdk-headless maven golang-go)"
        pytest.exit(
            f"tests/interop needs {' and '.join(missing)}: {hint}", returncode=pytest.ExitCode.USAGE_ERROR
        )


def _is_needless(item: pytest.Item) -> bool:
    """Apache's broker shows that a test asks for the right thing; one of the judges is enough for that."""
    parameters = (
        item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    )
    return parameters.get("single") == "apache" and parameters.get("judge", "json_judge") != "json_judge"


@pytest.fixture(scope="session")
def java() -> Java:
    """A JVM with Apache's newest jars and our drivers."""
    return maven.build()


@contextmanager
def java_judge(java: Java, home: Path, *options: str) -> Iterator[Judge]:
    """A driver in a JVM of its own with these options."""
    command = java.command("judge.Judge", home=home, heap="256m", options=options)
    with judges.running(command, home) as running:
        yield running


@pytest.fixture(scope="session")
def json_judge(java: Java, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """Apache's Java client writing JSON headers, as it does unless told otherwise."""
    with java_judge(java, tmp_path_factory.mktemp("judge"), "-Drocketmq.serialize.type=JSON") as running:
        yield running


class OffsetsJudge(NamedTuple):
    """A Java client and where it keeps the positions of broadcasting members."""

    judge: Judge
    directory: Path


@pytest.fixture(scope="session")
def offsets_judge(java: Java, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OffsetsJudge]:
    """Apache's Java client with the directory of its local positions known."""
    home = tmp_path_factory.mktemp("judge")
    option = f"-Drocketmq.client.localOffsetStoreDir={home / 'offsets'}"
    with java_judge(java, home, option) as running:
        yield OffsetsJudge(running, home / "offsets")


@pytest.fixture(scope="session")
def binary_judge(java: Java, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """Apache's Java client writing binary headers."""
    with java_judge(java, tmp_path_factory.mktemp("judge"), "-Drocketmq.serialize.type=ROCKETMQ") as running:
        yield running


@pytest.fixture(scope="session")
def java_4_9(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """The last Java client of the fourth line that is widely used."""
    with java_judge(maven.build("4.9.8"), tmp_path_factory.mktemp("judge")) as running:
        yield running


@pytest.fixture(scope="session")
def java_4_4(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """A Java client of 2019."""
    options = (
        # It sends to the broker's second port unless told otherwise.
        "-Dcom.rocketmq.sendMessageWithVIPChannel=false",
        # Its Netty does not start on today's JDK without.
        "--add-opens=java.base/java.nio=ALL-UNNAMED",
    )
    with java_judge(maven.build("4.4.0"), tmp_path_factory.mktemp("judge"), *options) as running:
        yield running


@pytest.fixture(scope="session")
def go_judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """Apache's Go client."""
    program = golang.build()
    with judges.running([str(program)], tmp_path_factory.mktemp("judge")) as running:
        yield running


@pytest.fixture(params=["json_judge", "binary_judge", "java_4_9", "java_4_4", "go_judge"])
def judge(request: pytest.FixtureRequest) -> Judge:
    """Each of the clients; a module that needs no such choice overrides this with one of them."""
    chosen: Judge = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture(scope="session", params=["lite", "apache"])
def single(
    request: pytest.FixtureRequest, java: Java, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """A name server and one broker: ours, and Apache's to judge the test itself."""
    directory = tmp_path_factory.mktemp("single")
    with ExitStack() as running:
        yield running.enter_context(
            lite.single(directory) if request.param == "lite" else apache.cluster(java, directory, masters=1)
        )


@pytest.fixture(scope="session")
def lite_single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Our own name server and broker, where nothing is to be learnt from Apache's."""
    with lite.single(tmp_path_factory.mktemp("single")) as running:
        yield running


@pytest.fixture(scope="session", params=["lite", "apache"])
def three(
    request: pytest.FixtureRequest, java: Java, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """A name server and three masters in one cluster, ours and Apache's."""
    directory = tmp_path_factory.mktemp("three")
    with ExitStack() as running:
        yield running.enter_context(
            lite.cluster(directory, masters=3)
            if request.param == "lite"
            else apache.cluster(java, directory, masters=3)
        )


@pytest.fixture
def name() -> str:
    """A name for a topic or a group that nothing else in this session uses."""
    return f"interop-{next(_numbers)}"


@pytest.fixture
def topic(json_judge: Judge, single: Cluster, name: str) -> str:
    """A new topic of four queues on the single broker."""
    json_judge.create_topic(single.namesrv, single.name, name)
    return name


@pytest.fixture(scope="session")
def admin_tool(java: Java, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """A JVM for the admin tool alone, which prints to the streams of its process."""
    with java_judge(java, tmp_path_factory.mktemp("mqadmin")) as running:
        yield running


@pytest.fixture
def mqadmin(admin_tool: Judge, single: Cluster) -> MqAdmin:
    """Apache's admin tool, talking to the single broker's name server."""
    return MqAdmin(admin_tool, single.namesrv)


@pytest.fixture(params=["ROCKETMQ", "JSON"])
def python_headers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The type of our client's headers, and so of the answers: it writes JSON for codes that ROCKETMQ cannot hold."""
    if request.param == "JSON":
        monkeypatch.setattr(framing, "_MAX_BINARY_CODE", -1)


@pytest.fixture
def stored(judge: Judge, single: Cluster, topic: str) -> list[Event]:
    """``STORED`` messages in the four queues of the topic."""
    return judge.produce(
        single.namesrv, topic, tagged(["t"] * STORED), mode="sync", group=f"{topic}-producer"
    )
