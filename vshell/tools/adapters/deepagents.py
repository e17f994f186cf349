"""LangChain's deepagents: a workspace as the sandbox that an agent works in.

    from deepagents import create_deep_agent
    from vshell.tools.adapters.deepagents import VshellSandbox

    agent = create_deep_agent(model, backend=VshellSandbox("agent.db"))

Releases 0.6 and 0.7 of the protocol differ: since 0.7 `write` replaces a file that is there,
and `glob` returns absolute paths, of files only. The installed release decides. A file whose
owner may not read it is refused, as a sandbox of the real system does.
"""

from __future__ import annotations

import base64
import importlib.metadata
import os
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from vshell.errors import (
    IsDirectoryError,
    NotDirectoryError,
    NotFoundError,
    PermissionDeniedError,
    ReadOnlyError,
    VshellError,
)
from vshell.fs.paths import PathLike, split
from vshell.ops.context import Context
from vshell.ops.entries import rm
from vshell.ops.glob import glob
from vshell.ops.grep import grep
from vshell.ops.ls import ls
from vshell.ops.write import write
from vshell.text.globs import compile_glob
from vshell.tools.adapters.extras import needs_extra
from vshell.tools.adapters.running import run_command
from vshell.tools.commands import Ran
from vshell.tools.executors import (
    Command,
    ExecutorChoice,
)
from vshell.tools.workplace import Workplace

with needs_extra("deepagents"):
    from deepagents.backends import protocol
    from deepagents.backends.utils import _get_file_type as kind_by_name

__all__ = ["VshellSandbox"]

RELEASE: Final = tuple(map(int, importlib.metadata.version("deepagents").split(".")[:2]))
"""The installed release."""

_PAGINATED: Final = RELEASE >= (0, 7)
_OVERWRITES: Final = RELEASE >= (0, 7)
_ABSOLUTE_GLOBS: Final = RELEASE >= (0, 7)

_EMPTY: Final = "System reminder: File exists but has empty contents"
_CUT: Final = (
    "\n\n[Output was truncated due to size limits. This paginated read result exceeded the"
    " sandbox stdout limit. Continue reading with a larger offset or smaller limit to inspect"
    " the rest of the file.]"
)
_MAX_BYTES: Final = 500 * 1024
_WALK_ENTRIES: Final = 100_000
_MATCHES: Final = 10_000
_TIMEOUT_S: Final = 120
_OWNER_READS: Final = 0o400

Result = TypeVar("Result")


class VshellSandbox(protocol.SandboxBackendProtocol):  # type: ignore[misc]
    """A workspace with commands and files.

    Args:
        workspace: A workspace or session, or the path of its file on the host.
        session: What stands in the journal beside changes, when `workspace` is a path.
        executor: Where commands run: `"virtual"` is the workspace's own shell; in a
            `"container"` the workspace is at `/workspace`, and that is where all paths are.
        image: The container's image.
        rules: What the virtual shell may run, as `Session.shell` takes it.
        environment: Variables of the commands.
        timeout_s: How long a command may run that sets no limit.

    Raises:
        RangeError: The container has no image, or there is no such executor.
        UnavailableError: There can be no container here.
    """

    def __init__(
        self,
        workspace: Context | PathLike,
        *,
        session: str = "deepagents",
        executor: ExecutorChoice = "virtual",
        image: str | None = None,
        rules: Any = None,
        environment: Mapping[str, str] | None = None,
        timeout_s: int = _TIMEOUT_S,
    ) -> None:
        self._place = Workplace(
            workspace, session=session, executor=executor, image=image, rules=rules
        )
        self._environment = dict(environment or {})
        self._timeout_s = timeout_s
        self._id = f"vshell-{os.urandom(8).hex()}"

    @property
    def id(self) -> str:
        """What tells this sandbox from others."""
        return self._id

    def close(self) -> None:
        """Let go of the executor, and of a workspace that was opened by its path."""
        self._place.close()

    # Commands.

    def execute(self, command: str, *, timeout: int | None = None) -> Any:
        """Run a command line; 0 as `timeout` is no limit."""
        return self._executed(self._command(command, timeout).run(), timeout)

    async def aexecute(self, command: str, *, timeout: int | None = None) -> Any:
        """Do the same; the command ends when the caller is cancelled."""
        return self._executed(await run_command(self._command(command, timeout)), timeout)

    def _command(self, command: str, timeout: int | None) -> Command:
        limit = self._timeout_s if timeout is None else timeout
        return self._place.executor.command(command, environment=self._environment, timeout_s=limit)

    def _executed(self, ran: Ran, timeout: int | None) -> Any:
        output = ran.output
        if ran.timed_out:
            limit = self._timeout_s if timeout is None else timeout
            output += f"\nError: Command timed out after {limit} seconds."
        return protocol.ExecuteResponse(
            output=output, exit_code=ran.exit_code, truncated=ran.truncated
        )

    # Looking.

    def ls(self, path: str) -> Any:
        """List a directory."""
        try:
            found = ls(self._place.context, self._place.inside(path), limit=_WALK_ENTRIES)
        except VshellError as error:
            return protocol.LsResult(error=f"Path '{path}': {_listing_code(error)}")
        return protocol.LsResult(
            entries=[
                {"path": self._place.outside(entry.path), "is_dir": entry.kind == "directory"}
                for entry in found.entries
            ]
        )

    def read(self, file_path: str, offset: int = 0, limit: int = 2000) -> Any:
        """Return lines of a text file, or a small binary file as base64."""
        try:
            data = self._data(file_path)
        except IsDirectoryError:
            return protocol.ReadResult(error=f"File '{file_path}': not_a_file")
        except VshellError as error:
            return protocol.ReadResult(error=f"File '{file_path}': {_code(error)}")
        if not data:
            return _read(_EMPTY)
        if kind_by_name(file_path) != "text" or not _is_text(data):
            if len(data) > _MAX_BYTES:
                return protocol.ReadResult(
                    error=f"File '{file_path}': Binary file exceeds maximum preview size of"
                    f" {_MAX_BYTES} bytes"
                )
            return _read(base64.b64encode(data).decode(), encoding="base64")
        return _page(file_path, data.decode("utf-8", "replace"), max(0, offset), max(0, limit))

    def _data(self, path: str) -> bytes:
        where = self._place.inside(path)
        data, stat = self._place.context.files.read_with_stat(where)
        if not stat.mode & _OWNER_READS:
            raise PermissionDeniedError(f"its mode forbids reading: {path}", path=path)
        return data

    def grep(
        self,
        pattern: str,
        path: str | None = None,
        glob: str | None = None,
        *,
        max_count: int | None = None,
    ) -> Any:
        """Find literal text in files; at most 10,000 matches."""
        try:
            found = grep(
                self._place.context,
                pattern,
                path=self._place.inside(path or self._place.cwd),
                include=glob,
                literal=True,
                max_matches=_MATCHES if max_count is None else max_count,
            )
        except VshellError as error:
            return protocol.GrepResult(error=f"Error searching path '{path}': {error}")
        matches = [
            {"path": self._place.outside(match.path), "line": match.line, "text": match.text}
            for match in found.matches
        ]
        cut = {"truncated": True} if _PAGINATED and found.truncated else {}
        return protocol.GrepResult(matches=matches, **cut)

    def glob(self, pattern: str, path: str | None = None) -> Any:
        """Find files by a pattern, as the installed release does."""
        start = path or self._place.cwd
        try:
            if _ABSOLUTE_GLOBS:
                return self._glob_files(pattern, self._place.inside(start))
            return self._glob_entries(pattern, self._place.inside(start))
        except VshellError as error:
            return protocol.GlobResult(error=f"Error globbing path '{start}': {error}")

    def _glob_entries(self, pattern: str, root: str) -> Any:
        """Return what 0.6 returns: paths from `root` on, also of directories."""
        found = glob(
            self._place.context, pattern.lstrip("/"), path=root, limit=_WALK_ENTRIES, dotfiles=False
        )
        matches = [
            {
                "path": path.removeprefix(root).lstrip("/"),
                "is_dir": self._place.context.files.stat(path, follow=False).kind == "directory",
            }
            for path in found.paths
        ]
        return protocol.GlobResult(matches=matches)

    def _glob_files(self, pattern: str, root: str) -> Any:
        """Return what 0.7 returns: absolute paths of files; a bare name is found at any depth."""
        if ".." in pattern.split("/"):
            return protocol.GlobResult(
                error="Path traversal ('..') is not allowed in glob patterns"
            )
        anchored = "/" in pattern
        found = glob(
            self._place.context,
            pattern.lstrip("/") if anchored else f"**/{pattern}",
            path=root,
            limit=_WALK_ENTRIES,
            dotfiles=not anchored,
        )
        # A bare pattern looks into directories with a dot, but wants names with one told.
        named = None if anchored else compile_glob(pattern, dotfiles=False)
        paths = [
            path
            for path in found.paths
            if self._place.context.files.stat(path, follow=False).kind == "file"
            and (named is None or named.match(split(path)[1]))
        ]
        return protocol.GlobResult(
            matches=[{"path": self._place.outside(path), "is_dir": False} for path in paths],
            truncated=found.truncated,
            truncation_reason="budget" if found.truncated else None,
        )

    # Changing.

    def write(self, file_path: str, content: str) -> Any:
        """Write a file; before 0.7 it must be new."""
        try:
            where = self._place.inside(file_path)
            if not _OVERWRITES and self._place.context.files.exists(where):
                return protocol.WriteResult(error=f"Error: File '{file_path}' already exists")
            write(self._place.context, where, content)
        except VshellError as error:
            return protocol.WriteResult(error=f"Failed to write file '{file_path}': {error}")
        return protocol.WriteResult(path=file_path)

    def edit(
        self, file_path: str, old_string: str, new_string: str, replace_all: bool = False
    ) -> Any:
        """Replace text that is in a file, once unless `replace_all`."""
        if not old_string:
            return protocol.EditResult(
                error="Error: old_string cannot be empty. Provide the exact text to replace."
            )
        try:
            with self._place.context.changing("edit"):
                return self._edit(file_path, old_string, new_string, replace_all=replace_all)
        except NotFoundError:
            return protocol.EditResult(error=f"Error: File '{file_path}' not found")
        except IsDirectoryError:
            return protocol.EditResult(error=f"Error: '{file_path}' is not a regular file")
        except (PermissionDeniedError, ReadOnlyError):
            return protocol.EditResult(error=f"Error: Permission denied editing file '{file_path}'")
        except VshellError as error:
            return protocol.EditResult(error=f"Error editing file '{file_path}': {error}")

    def _edit(self, path: str, old_string: str, new_string: str, *, replace_all: bool) -> Any:
        data = self._data(path)
        if not _is_text(data):
            return protocol.EditResult(error=f"Error: File '{path}' is not a text file")
        text = data.decode()
        found = _with_newlines_of(text, old_string, new_string)
        if found is None:
            return protocol.EditResult(error=f"Error: String not found in file: '{old_string}'")
        old, new = found
        count = text.count(old)
        if count > 1 and not replace_all:
            return protocol.EditResult(
                error=f"Error: String '{old_string}' appears multiple times. Use"
                " replace_all=True to replace all occurrences."
            )
        write(self._place.context, self._place.inside(path), text.replace(old, new))
        return protocol.EditResult(path=path, occurrences=count)

    def delete(self, file_path: str) -> Any:
        """Remove a file, or a directory with all that is in it (from 0.7 on)."""
        try:
            rm(self._place.context, self._place.inside(file_path), recursive=True)
        except NotFoundError:
            return protocol.DeleteResult(error=f"Error: '{file_path}' not found")
        except VshellError as error:
            return protocol.DeleteResult(error=f"Error deleting '{file_path}': {error}")
        return protocol.DeleteResult(path=file_path)

    # Many files.

    def upload_files(self, files: list[tuple[str, bytes]]) -> list[Any]:
        """Write files, with their parents; one that cannot be written stops no other."""

        def upload(path: str, data: bytes) -> Callable[[], object]:
            return lambda: write(self._place.context, self._place.inside(path), data)

        return [
            protocol.FileUploadResponse(path=path, error=_attempt(path, upload(path, data))[1])
            for path, data in files
        ]

    def download_files(self, paths: list[str]) -> list[Any]:
        """Return the bytes of files; one that cannot be read stops no other."""

        def download(path: str) -> Callable[[], bytes]:
            return lambda: self._data(path)

        responses = []
        for path in paths:
            content, error = _attempt(path, download(path))
            responses.append(protocol.FileDownloadResponse(path=path, content=content, error=error))
        return responses


def _attempt(path: str, work: Callable[[], Result]) -> tuple[Result | None, str | None]:
    """Return what a transfer gives, or the protocol's code for what it fails with."""
    if not path.startswith("/"):
        return None, protocol.INVALID_PATH if _PAGINATED else "invalid_path"
    try:
        return work(), None
    except VshellError as error:
        return None, _code(error)


def _code(error: VshellError) -> str:
    if isinstance(error, NotFoundError):
        return "file_not_found"
    if isinstance(error, IsDirectoryError):
        return "is_directory"
    if isinstance(error, (PermissionDeniedError, ReadOnlyError)):
        return "permission_denied"
    return "invalid_path"


def _listing_code(error: VshellError) -> str:
    if isinstance(error, NotFoundError):
        return "path_not_found"
    return "not_a_directory" if isinstance(error, NotDirectoryError) else str(error)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _read(content: str, *, encoding: str = "utf-8", **more: Any) -> Any:
    return protocol.ReadResult(file_data={"content": content, "encoding": encoding}, **more)


def _page(path: str, text: str, offset: int, limit: int) -> Any:
    """Return some lines, without the newline after the last, at most as long as a page."""
    if not limit:
        return _read("", no_lines_requested=True) if _PAGINATED else _read("")
    lines = text.replace("\r\n", "\n").split("\n")
    if not lines[-1]:
        lines.pop()
    if offset >= len(lines):
        return protocol.ReadResult(
            error=f"File '{path}': Line offset {offset} exceeds file length ({len(lines)} lines)"
        )
    shown = lines[offset : offset + limit]
    content = "\n".join(shown)
    whole = len(shown)
    room = _MAX_BYTES - len(_CUT)
    if len(content.encode()) > room:
        kept = content.encode()[:room].decode("utf-8", "ignore")
        whole = kept.count("\n")
        content = kept + _CUT
    if not _PAGINATED or not whole:
        return _read(content)
    end = offset + whole
    return _read(
        content,
        total_lines=len(lines),
        start_line=offset + 1,
        end_line=end,
        next_offset=end if end < len(lines) else None,
    )


def _with_newlines_of(text: str, old: str, new: str) -> tuple[str, str] | None:
    """Return old and new text with the line endings in which the old is there; else None."""
    plain = old.replace("\r\n", "\n"), new.replace("\r\n", "\n")
    windows = plain[0].replace("\n", "\r\n"), plain[1].replace("\n", "\r\n")
    return next((each for each in ((old, new), windows, plain) if each[0] in text), None)
