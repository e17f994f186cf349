"""Other processes for tests: children that are forked, so that one costs milliseconds."""

from __future__ import annotations

import os
import pickle
import signal
import traceback
import warnings
from collections.abc import Callable
from typing import Any


class Child:
    """A forked process that does one thing and reports what came of it.

    Args:
        work: Called in the child; its result or exception must be picklable.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        self._output, writer = os.pipe()
        with warnings.catch_warnings():
            # Python 3.12 warns of a fork beside threads; the child starts none and waits for none.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.id = os.fork()
        if not self.id:
            os.close(self._output)
            _run(work, writer)
        os.close(writer)

    def result(self) -> Any:
        """Wait for the end; return what `work` returned, or raise what it raised."""
        with open(self._output, "rb") as output:
            data = output.read()
        os.waitpid(self.id, 0)
        succeeded, value = pickle.loads(data)
        if succeeded:
            return value
        raise value

    def kill(self) -> None:
        """End it at once, as a crash would."""
        os.kill(self.id, signal.SIGKILL)
        os.waitpid(self.id, 0)
        os.close(self._output)


def in_child(work: Callable[[], object]) -> Any:
    """Return what `work` returns in another process."""
    return Child(work).result()


def _run(work: Callable[[], object], writer: int) -> None:
    code = 1
    try:
        try:
            report = pickle.dumps((True, work()))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent raises it
            traceback.clear_frames(error.__traceback__)
            report = pickle.dumps((False, error))
        with open(writer, "wb") as output:
            output.write(report)
        code = 0
    finally:
        os._exit(code)
