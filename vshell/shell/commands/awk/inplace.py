"""Files edited in place: `awk -i inplace`."""

from __future__ import annotations

from collections.abc import Callable

from vshell.errors import VshellError
from vshell.shell.command import Invocation
from vshell.shell.command_io import to_bytes
from vshell.shell.commands.awk.errors import AwkFatal
from vshell.shell.commands.awk.runtime import Runtime
from vshell.shell.messages import reason

__all__ = ["edit_in_place"]


def edit_in_place(call: Invocation, runtime: Runtime) -> None:
    """Let what a program prints while it reads a file become the file's content.

    A file whose end is not reached stays as it is.
    """
    editor = _Editor(call, runtime)
    runtime.begin_file = editor.begins(runtime.begin_file)
    runtime.end_file = editor.ends(runtime.end_file)


class _Editor:
    def __init__(self, call: Invocation, runtime: Runtime) -> None:
        self._call = call
        self._names = runtime.namespace
        self._write = self._names["write"]
        self._path: str | None = None
        self._parts: list[str] = []

    def begins(self, program: Callable[[], None] | None) -> Callable[[], None]:
        """Return what is done when a file begins: first this, then what the program wants."""

        def begin() -> None:
            name = str(self._names["v_FILENAME"])
            files = self._call.context.files
            path = self._call.context.resolve(name)
            self._path = None
            if name and files.exists(path) and files.stat(path).kind == "file":
                self._path = path
                self._parts = []
                self._names["write"] = self._parts.append
            if program is not None:
                program()

        return begin

    def ends(self, program: Callable[[], None] | None) -> Callable[[], None]:
        """Return what is done when a file ends: what the program wants, then this."""

        def end() -> None:
            if program is not None:
                program()
            self._names["write"] = self._write
            if self._path is not None:
                self._replace(self._path, to_bytes("".join(self._parts)))

        return end

    def _replace(self, path: str, data: bytes) -> None:
        context = self._call.context
        try:
            with context.changing(self._call.name):
                context.require_seen(path)
                written = context.files.write(path, data)
                context.note_read(path, written.after.hex())
        except VshellError as error:
            raise AwkFatal(f"cannot edit `{path}' in place: {reason(error)}") from None
