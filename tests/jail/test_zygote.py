"""The zygote: it forks confined guests, lives again after a death, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from vshell.errors import UnavailableError
from vshell.jail.channel import HungUpError
from vshell.jail.probing import probe
from vshell.jail.zygote import Forked, Zygote

pytestmark = pytest.mark.skipif(probe().guests != "full", reason="there are no namespaces here")

MODULE = "vshell.script.guest.python"
JOB: dict[str, Any] = {
    "inputs": {},
    "methods": [],
    "functions": [],
    "seed": 0,
    "now_ns": 0,
    "deterministic": False,
    "name": "<script>",
    "mode": "function",
    "arguments": [],
    "stdin": "",
}


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with closing(Zygote(modules=[MODULE])) as made:
        yield made


def start(forked: Forked, source: str) -> None:
    job = {**JOB, "source": source}
    deadline = time.monotonic() + 10
    forked.start(MODULE, job, memory_bytes=64 << 20, cpu_s=10, deadline=deadline)


def result(zygote: Zygote, source: str) -> Any:
    forked = zygote.fork()
    try:
        start(forked, source)
        return json.loads(forked.channel.receive(deadline=time.monotonic() + 10))
    finally:
        forked.close()


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def wait_until(condition: Any) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def children_of(process: int) -> list[int]:
    path = Path(f"/proc/{process}/task/{process}/children")
    return [int(number) for number in path.read_text().split()] if path.exists() else []


def guests_of(zygote: Zygote) -> list[int]:
    assert zygote.process_id is not None
    (first,) = children_of(zygote.process_id)
    return children_of(first)


def test_it_runs_in_full_isolation(zygote: Zygote) -> None:
    assert zygote.isolation == "full"
    assert result(zygote, "1 + 1") == ["done", 2]


def test_a_guest_has_one_descriptor_and_no_environment(zygote: Zygote) -> None:
    source = """
import os
found = []
for number in range(64):
    try:
        os.write(number, b"")
    except OSError:
        continue
    found.append(number)
[found, dict(os.environ)]
"""
    assert result(zygote, source) == ["done", [[3], {}]]


def test_a_guest_is_alone_nobody_and_without_rights(zygote: Zygote) -> None:
    forked = zygote.fork()
    wait_until(lambda: guests_of(zygote))
    process = max(guests_of(zygote))
    status = Path(f"/proc/{process}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert int(fields["NSpid"].split()[-1]) < 1000  # of a process namespace of its own
    forked.close()
    for kind in ("user", "net", "mnt", "ipc", "uts", "pid"):
        ours = os.readlink(f"/proc/self/ns/{kind}")
        assert zygote.process_id is not None
        theirs = os.readlink(f"/proc/{children_of(zygote.process_id)[0]}/ns/{kind}")
        assert ours != theirs, kind


def test_a_guest_that_is_closed_is_gone(zygote: Zygote) -> None:
    forked = zygote.fork()
    start(forked, "while True: pass")
    before = set(guests_of(zygote))
    forked.close()
    wait_until(lambda: len(set(guests_of(zygote)) & before) < len(before))
    with pytest.raises(HungUpError):
        forked.channel.receive(deadline=time.monotonic() + 1)


def test_many_runs_leave_no_descriptors_and_no_processes(zygote: Zygote) -> None:
    result(zygote, "1")
    wait_until(lambda: len(guests_of(zygote)) <= 1)
    before = descriptors()
    for number in range(50):
        assert result(zygote, str(number)) == ["done", number]
    assert len(descriptors()) == len(before)
    wait_until(lambda: len(guests_of(zygote)) <= 1)


def test_it_lives_again_after_a_death(zygote: Zygote) -> None:
    result(zygote, "1")
    assert zygote.process_id is not None
    first = zygote.process_id
    (second,) = children_of(first)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{second}").exists())
    assert result(zygote, "2") == ["done", 2]
    assert zygote.process_id != first


def test_all_its_processes_end_with_it() -> None:
    zygote = Zygote(modules=[MODULE])
    forked = zygote.fork()
    start(forked, "while True: pass")
    wait_until(lambda: guests_of(zygote))
    assert zygote.process_id is not None
    everyone = [zygote.process_id, *children_of(zygote.process_id), *guests_of(zygote)]
    zygote.close()
    wait_until(lambda: not [number for number in everyone if Path(f"/proc/{number}").exists()])
    forked.close()


def test_threads_may_use_it_at_once(zygote: Zygote) -> None:
    found: list[Any] = []

    def work(number: int) -> None:
        found.append(result(zygote, str(number)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(value for _, value in found) == list(range(12))


def test_a_host_that_is_forked_gets_a_zygote_of_its_own(zygote: Zygote) -> None:
    result(zygote, "1")
    ours = zygote.process_id
    process = os.fork()
    if process == 0:
        status = 1
        try:
            answered = result(zygote, "3") == ["done", 3]
            status = 0 if answered and zygote.process_id != ours else 1
            zygote.close()
        finally:
            os._exit(status)
    assert os.waitpid(process, 0)[1] == 0
    assert result(zygote, "4") == ["done", 4]
    assert zygote.process_id == ours


def test_what_cannot_be_loaded_is_unavailable() -> None:
    zygote = Zygote(modules=["vshell.script.guest.nothing"])
    with pytest.raises(UnavailableError, match="ModuleNotFoundError"):
        zygote.fork()


def test_there_is_no_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with closing(Zygote(modules=[MODULE])) as made:
        assert result(made, "1") == ["done", 1]
    assert not list(tmp_path.iterdir())
