from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.findings import FailedProofError
from tests.faults.power_cut import Record, cut, record, run
from tests.faults.recorder import Event, Recorder, recording, survivors
from vshell.errors import VshellError
from vshell.fs.database import Durability
from vshell.workspace import Workspace

CHANCES = [random.Random(seed) for seed in range(60)]


@pytest.mark.slow
def test_no_power_cut_breaks_a_promise() -> None:
    findings = run(count=300, seed=1)
    assert findings.failures == []
    assert findings.counts["cuts with durability='process': fewer there"] > 0


def possible(*events: Event) -> set[bytes | None]:
    """Return what power cuts after these events leave of a file."""
    named = [Event("name", 1, name="file"), Event("sync names"), *events]
    return {survivors(named, chance).get("file") for chance in CHANCES}


def test_what_was_synced_survives() -> None:
    assert possible(Event("write", 1, 0, b"data"), Event("sync", 1)) == {b"data"}


def test_what_was_not_synced_may_be_lost() -> None:
    assert possible(Event("write", 1, 0, b"data")) == {b"data", b""}


def test_a_later_write_may_survive_an_earlier_one() -> None:
    left = possible(Event("write", 1, 0, b"a" * 512), Event("write", 1, 512, b"b" * 512))
    assert left >= {b"", b"a" * 512, bytes(512) + b"b" * 512, b"a" * 512 + b"b" * 512}


def test_a_write_is_torn_only_between_sectors() -> None:
    left = possible(Event("write", 1, 100, b"x" * 1000))
    parts = {data[start:end] for data in left if data for start, end in ((100, 512), (512, 1024))}
    assert all(len(set(part)) <= 1 for part in parts)
    assert len(left) > 3


def test_a_name_may_be_lost_until_its_directory_is_synced() -> None:
    new = [Event("write", 1, 0, b"data"), Event("sync", 1), Event("name", 1, name="file")]
    left = {survivors(new, chance).get("file") for chance in CHANCES}
    assert left == {None, b"data"}


def test_all_that_sqlite_and_python_do_to_files_is_recorded(tmp_path: Path) -> None:
    directory = tmp_path / "recorded"
    directory.mkdir()
    recorder = Recorder(directory)
    with recording(recorder):
        workspace = Workspace.open(directory / "agent.db", durability="power")
        workspace.write("/a", "text" * 10_000)
        kept = {path.name: path.read_bytes() for path in directory.iterdir()}
        workspace.write("/b", "text")
        workspace.close()
    del kept["agent.db-shm"]  # which is memory, and no file that anybody relies on
    moments = [recorder.events[:end] for end in range(len(recorder.events))]
    everything = [(*events, *synced(events)) for events in moments]
    assert kept in [survivors(list(events), random.Random(0)) for events in everything]


def synced(events: list[Event]) -> list[Event]:
    return [
        *(Event("sync", file) for file in {event.file for event in events}),
        Event("sync names"),
    ]


@pytest.fixture(params=["power", "process"])
def durability(request: pytest.FixtureRequest) -> Durability:
    found: Durability = request.param
    return found


def without_syncs(found: Record) -> Record:
    """Return the same workload on a disk that says it has synced, and has not."""
    lying = [
        Event("write", event.file) if event.kind == "sync" else event
        for event in found.events[found.begin :]
    ]
    return Record(found.events[: found.begin] + lying, found.begin, found.ends, found.states)


def test_a_disk_that_lies_would_be_noticed(tmp_path: Path, durability: Durability) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    found = without_syncs(record(before, durability, 5))
    assert any(is_noticed(found, after, durability, seed) for seed in range(100))


def is_noticed(found: Record, directory: Path, durability: Durability, seed: int) -> bool:
    try:
        cut(found, directory, durability, random.Random(seed))
    except (FailedProofError, VshellError):
        return True
    return False
