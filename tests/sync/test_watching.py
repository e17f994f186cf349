"""Watching: what happens on either side is there on the other soon after."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from vshell import Workspace
from vshell.sync import watching
from vshell.sync.results import SyncResult
from vshell.sync.rules import Rules
from vshell.sync.watching import Events

ENOUGH_S = 20.0


class Watched:
    """A mirror that is watched in a thread of its own."""

    def __init__(self, ws: Workspace, root: Path) -> None:
        self.results: list[SyncResult] = []
        self.news = threading.Condition()
        self.ended = threading.Event()
        self.mirror = ws.mirror(root)
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()

    def _watch(self) -> None:
        for result in self.mirror.watch(poll_s=0.005, settle_s=0.01, stop=self.ended.is_set):
            with self.news:
                self.results.append(result)
                self.news.notify_all()

    def wait(self, condition: Callable[[], bool]) -> None:
        with self.news:
            assert self.news.wait_for(condition, ENOUGH_S), "nothing happened"

    def end(self) -> None:
        self.ended.set()
        self.thread.join()


@pytest.mark.parametrize("by", ["events", "looking"])
def test_what_happens_on_either_side_comes_to_the_other(
    ws: Workspace, root: Path, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by == "looking":
        monkeypatch.setattr(watching, "_inotify", lambda: -1)
        monkeypatch.setattr(watching, "_UNATTENDED_S", 0.02)
    ws.write("/a", "1")
    watched = Watched(ws, root)
    try:
        watched.wait(lambda: bool(watched.results))
        (root / "new").mkdir()
        (root / "new" / "b").write_text("2")
        watched.wait(lambda: ws.exists("/new/b"))
        (root / "new" / "c").write_text("3")  # in a directory that is new itself
        watched.wait(lambda: ws.exists("/new/c"))
        ws.write("/d", "4")
        watched.wait((root / "d").exists)
    finally:
        watched.end()


def test_what_is_ignored_is_no_event(ws: Workspace, root: Path) -> None:
    (root / "node_modules" / "x").mkdir(parents=True)
    (root / "src").mkdir()
    target = ws.mirror(root)._target
    with Events() as events:
        events.attend(target, Rules())
        assert events.complete
        (root / "node_modules" / "x" / "f").write_text("x")
        assert not events.wait(0)
        (root / "src" / "f").write_text("x")
        assert events.wait(ENOUGH_S)
        assert not events.wait(0)


def test_watching_ends_when_asked(ws: Workspace, root: Path) -> None:
    assert list(ws.mirror(root).watch(stop=lambda: True)) == []


def test_what_fails_each_time_does_not_keep_it_busy(
    ws: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws.write("/p/f", "x")
    mirror = ws.mirror(root)
    mirror.sync()
    (root / "p/node_modules").mkdir()
    ws.rm("/p", recursive=True)
    times = 0
    synchronise = mirror.sync

    def counted(**options: object) -> SyncResult:
        nonlocal times
        times += 1
        return synchronise(**options)  # type: ignore[arg-type]

    monkeypatch.setattr(mirror, "sync", counted)
    looks = iter(range(200))
    for _ in mirror.watch(poll_s=0.001, settle_s=0.001, stop=lambda: next(looks, None) is None):
        pass
    assert times <= 3
