"""What runs share: the engines of the process, and the idle overlays of a workspace.

An engine keeps warm helpers, so a process has each engine once, however many workspaces are
open; the last workspace that used it closes it.
"""

from __future__ import annotations

import importlib
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from vshell.errors import ClosedError, RangeError
from vshell.fs.filesystem import FileSystem
from vshell.fs.overlay import Overlay
from vshell.script.engine import Engine, Language
from vshell.script.loop import Cancellation

__all__ = ["ENGINES", "Scripts", "engine_class", "scripts_of"]

ENGINES: Final[dict[str, tuple[str, Language]]] = {
    "monty": ("monty:MontyEngine", "python"),
    "cpython": ("python:PythonEngine", "python"),
    "quickjs": ("javascript:JavaScriptEngine", "javascript"),
}
"""Where each engine is in `vshell.script.engines`, and what it runs; cheap ones first."""

_MAX_IDLE_OVERLAYS: Final = 4


class _Shared:
    """The engines of this process, each with how many workspaces use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engines: dict[str, tuple[Engine, int]] = {}

    def acquire(self, name: str) -> Engine:
        with self._lock:
            engine, users = self._engines.get(name) or (engine_class(name)(), 0)
            self._engines[name] = (engine, users + 1)
            return engine

    def release(self, name: str) -> None:
        with self._lock:
            found = self._engines.pop(name, None)
            if found is None:
                return  # it belongs to the process that this one was forked from
            engine, users = found
            if users > 1:
                self._engines[name] = (engine, users - 1)
                return
        engine.close()


_shared = _Shared()


def _forget_engines() -> None:
    """Start anew in a forked child: helpers belong to the parent."""
    global _shared  # noqa: PLW0603 - what a fork copies can only be replaced
    _shared = _Shared()


os.register_at_fork(after_in_child=_forget_engines)


def engine_class(name: str) -> type[Engine]:
    """Return the class of an engine.

    Raises:
        RangeError: There is no engine of that name.
    """
    if name not in ENGINES:
        raise RangeError(
            f"there is no engine {name[:100]!r}", hint=f"choose auto, {', '.join(ENGINES)}"
        )
    module, _, kind = ENGINES[name][0].partition(":")
    found: type[Engine] = getattr(importlib.import_module(f"vshell.script.engines.{module}"), kind)
    return found


class Scripts:
    """What the runs of one workspace share.

    Args:
        files: The files of the workspace.
    """

    def __init__(self, files: FileSystem) -> None:
        self._files = weakref.ref(files)
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._engines: dict[str, Engine] = {}
        self._overlays: list[Overlay] = []
        self._running: dict[str, Cancellation] = {}
        self._closed = False

    def engine(self, name: str) -> Engine:
        """Return an engine by its name.

        Raises:
            RangeError: There is no such engine.
            ClosedError: The workspace is closed.
        """
        with self._lock:
            self._require_open()
            self._renew_after_fork()
            found = self._engines.get(name)
            if found is None:
                found = self._engines[name] = _shared.acquire(name)
            return found

    @contextmanager
    def running(self, cancellation: Cancellation, run_id: str) -> Iterator[None]:
        """Let a run be ended by its name, and when the workspace is closed."""
        with self._lock:
            self._require_open()
            self._running[run_id] = cancellation
        try:
            yield
        finally:
            with self._lock:
                self._running.pop(run_id, None)

    def cancel(self, run_id: str) -> None:
        """End a run of this process, if there is one of that name."""
        with self._lock:
            found = self._running.get(run_id)
        if found is not None:
            found.cancel()

    @contextmanager
    def overlay(self) -> Iterator[Overlay]:
        """Lend an idle overlay; what it shows is discarded at the end."""
        overlay = self._take_overlay()
        reusable = False
        try:
            yield overlay
            reusable = True
        finally:
            if reusable:
                self._put_overlay(overlay)
            else:
                overlay.close()

    def _take_overlay(self) -> Overlay:
        files = self._files()
        with self._lock:
            self._require_open()
            self._renew_after_fork()
            if self._overlays:
                return self._overlays.pop()
        assert files is not None
        return Overlay(files.store.database.path, now=files.store.now)

    def _put_overlay(self, overlay: Overlay) -> None:
        overlay.discard()
        with self._lock:
            if not self._closed and len(self._overlays) < _MAX_IDLE_OVERLAYS:
                self._overlays.append(overlay)
                return
        overlay.close()

    def _renew_after_fork(self) -> None:
        if self._process != os.getpid():
            self._process = os.getpid()
            self._engines.clear()
            self._overlays.clear()

    def _require_open(self) -> None:
        if self._closed:
            raise ClosedError("the workspace is closed")

    def close(self) -> None:
        """End the runs, and free what they used. Idempotent."""
        with self._lock:
            self._closed = True
            running, self._running = self._running, {}
            overlays, self._overlays = self._overlays, []
            engines, self._engines = self._engines, {}
        for cancellation in running.values():
            cancellation.cancel(closing=True)
        for overlay in overlays:
            overlay.close()
        if self._process == os.getpid():
            for name in engines:
                _shared.release(name)


_attaching = threading.Lock()


def scripts_of(files: FileSystem) -> Scripts:
    """Return what the runs of a workspace share; closing the files closes it."""
    with _attaching:
        found = files.attachments.get("script")
        if not isinstance(found, Scripts):
            found = files.attachments["script"] = Scripts(files)
            weakref.finalize(files, found.close)
        return found
