"""What one script prints: kept for the result up to a size, counted, handed on, spooled."""

from __future__ import annotations

import tempfile
from typing import Final

from vshell.limits import CHUNK_BYTES
from vshell.ops.context import Context
from vshell.shell.engine import OnOutput
from vshell.shell.limits import ShellLimits

_SPOOLED_BYTES: Final = 1024**2


class Printed:
    """What one script printed."""

    def __init__(
        self, limits: ShellLimits, on_output: OnOutput | None, *, spools: bool = False
    ) -> None:
        self.limits = limits
        # On the host's disk while it runs, if it is much: the worker has the write lock.
        self.spooled = (
            tempfile.SpooledTemporaryFile(_SPOOLED_BYTES)  # noqa: SIM115 - closed when written
            if spools
            else None
        )
        self.kept = {"stdout": bytearray(), "stderr": bytearray()}
        self.printed = {"stdout": 0, "stderr": 0}
        self.truncated = False
        self.timed_out = False
        self._on_output = on_output

    def print(self, stream: str, data: bytes) -> None:
        kept = self.kept[stream]
        room = self.limits.max_output_bytes - len(kept)
        kept += data[:room] if room > 0 else b""
        self.truncated = self.truncated or len(data) > room
        self.printed[stream] += len(data)
        if self.spooled is not None:
            self.spooled.write(data)
        if self._on_output is not None:
            self._on_output(stream, data)

    def print_error(self, message: str) -> None:
        self.print("stderr", f"vshell: {message}\n".encode("utf-8", "replace"))

    def spool_to(self, context: Context, path: str | None, session: str) -> str | None:
        """Write all output to a file, when what is kept lacks some; return its path then."""
        spooled = self.spooled
        if path is None or spooled is None:
            return None
        with spooled:
            if not self.truncated:
                return None
            spooled.seek(0)
            with context.files.transaction(session, "shell"):
                context.files.write(
                    path, iter(lambda: spooled.read(CHUNK_BYTES), b""), parents=True
                )
        return path
