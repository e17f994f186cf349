"""The daemon is killed while a command runs, and comes back: with the container or without."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import second_daemon
from tests.faults.second_daemon import SecondDaemon
from tests.sync import daemon as first_daemon
from vshell import Workspace
from vshell.errors import UnavailableError
from vshell.sync.container import Container

pytestmark = [
    pytest.mark.docker,
    pytest.mark.slow,
    # The library `docker` leaves its socket open when nobody answers.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

_COMMAND = "echo started; sleep 3; cat given >made; echo ran >>runs; exit 7"


@pytest.fixture
def start() -> Iterator[Callable[..., SecondDaemon]]:
    reason = second_daemon.missing()
    if reason and "docker" in os.environ.get("VSHELL_REQUIRE", ""):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    place = Path(tempfile.mkdtemp(prefix="vshell-daemon-"))
    started: list[SecondDaemon] = []

    def start_one(*, live_restore: bool) -> SecondDaemon:
        made = SecondDaemon(place, live_restore=live_restore)
        made.start()
        started.append(made)
        made.load(first_daemon.client(), first_daemon.plain_image())
        return made

    yield start_one
    for one in started:
        one.remove()
    shutil.rmtree(place, ignore_errors=True)
    gc.collect()  # while the warnings about the library's sockets are ignored


def run_until_it_dies(container: Container, daemon: SecondDaemon, by: signal.Signals) -> None:
    killed: list[bool] = []

    def kill(*_: object) -> None:
        if not killed:
            killed.append(True)
            daemon.end(by)

    with pytest.raises(UnavailableError) as caught:
        container.exec(_COMMAND, stream=kill)
    assert killed, caught.value
    assert container.jobs().jobs[0].phase == "running"


@pytest.mark.parametrize("transport", ["bind", "stream"])
def test_a_command_that_outlives_its_daemon_is_waited_for_and_brought_back(
    transport: str, start: Callable[..., SecondDaemon]
) -> None:
    daemon = start(live_restore=True)
    with Workspace.memory() as workspace:
        workspace.write("/given", "given\n")
        container = workspace.container(
            first_daemon.plain_image(),
            transport=transport,  # type: ignore[arg-type]
            daemon=daemon.address,
        )
        try:
            run_until_it_dies(container, daemon, signal.SIGKILL)
            with pytest.raises(UnavailableError):
                container.resume()
            daemon.start()
            (job,) = container.resume()
            assert (job.phase, job.exit_code, job.output_complete) == ("done", 7, False)
            assert workspace.read_text("/made") == "given\n"
            assert workspace.read_text("/runs") == "ran\n"
            assert container.exec("cat runs").stdout == b"ran\n"
        finally:
            container.remove()


def test_a_command_that_dies_with_its_daemon_is_lost_and_not_run_again(
    start: Callable[..., SecondDaemon],
) -> None:
    daemon = start(live_restore=False)
    with Workspace.memory() as workspace:
        workspace.write("/given", "given\n")
        container = workspace.container(first_daemon.plain_image(), daemon=daemon.address)
        try:
            run_until_it_dies(container, daemon, signal.SIGTERM)
            daemon.start()
            (job,) = container.resume()
            assert (job.phase, job.exit_code) == ("lost", None)
            after = container.exec("ls; test ! -e runs")
            assert (after.exit_code, after.stdout) == (0, b"given\n")
            assert workspace.read_text("/given") == "given\n"
        finally:
            container.remove()
