"""OpenAI's Agents SDK: workspaces as the sandboxes of its sandbox agents.

    from agents.run import RunConfig
    from agents.sandbox import SandboxRunConfig
    from vshell.tools.adapters.openai_sandbox import VshellSandboxClient

    client = VshellSandboxClient("agents/")
    RunConfig(sandbox=SandboxRunConfig(client=client))

Each session has a workspace of its own, in a file of a directory, or all of them have one
that is given. A session that is resumed finds its workspace as it was.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal, TypeVar

import anyio.to_thread

from vshell.errors import InvalidPathError, NotFoundError, RangeError, VshellError
from vshell.fs.paths import PathLike
from vshell.ops.context import Context
from vshell.ops.entries import mkdir
from vshell.ops.packing import export_archive, import_archive
from vshell.ops.write import write
from vshell.tools.adapters.extras import needs_extra
from vshell.tools.adapters.running import run_command
from vshell.tools.executors import ExecutorChoice, open_executor, to_workspace
from vshell.workspace import Workspace

with needs_extra("openai-agents", "agents", "openai"):
    from agents.sandbox.errors import (
        ExecTimeoutError,
        ExecTransportError,
        WorkspaceArchiveReadError,
        WorkspaceArchiveWriteError,
        WorkspaceReadNotFoundError,
        WorkspaceStartError,
    )
    from agents.sandbox.manifest import Manifest
    from agents.sandbox.session import (
        BaseSandboxClient,
        BaseSandboxClientOptions,
        BaseSandboxSession,
        SandboxSession,
        SandboxSessionState,
    )
    from agents.sandbox.session.workspace_payloads import coerce_write_payload
    from agents.sandbox.snapshot import resolve_snapshot
    from agents.sandbox.types import ExecResult

__all__ = [
    "VshellSandboxClient",
    "VshellSandboxClientOptions",
    "VshellSandboxSession",
    "VshellSandboxSessionState",
]

_NAME: Final = "openai-agents"

Result = TypeVar("Result")


class VshellSandboxSessionState(SandboxSessionState):  # type: ignore[misc]
    """What a session is resumed from.

    Attributes:
        path: The file of its workspace; None for the one that the client was given.
        executor: Where its commands run.
        image: The image of its container.
    """

    type: Literal["vshell"] = "vshell"
    path: str | None = None
    executor: Literal["virtual", "container"] = "virtual"
    image: str | None = None


class VshellSandboxClientOptions(BaseSandboxClientOptions):  # type: ignore[misc]
    """What a session can be given.

    Attributes:
        executor: Where its commands run: `"virtual"`, or in a `"container"`.
        image: The container's image.
    """

    type: Literal["vshell"] = "vshell"
    executor: Literal["virtual", "container"] = "virtual"
    image: str | None = None


class VshellSandboxSession(BaseSandboxSession):  # type: ignore[misc]
    """A session in a workspace. In a container, the workspace is the manifest's root itself.

    Args:
        state: What it is resumed from.
        context: The workspace.
        owns: Whether the workspace is closed with it.
        rules: What the virtual shell may run, as `Session.shell` takes it.

    Raises:
        RangeError: The manifest's root is none that a container has, or it has no image.
        UnavailableError: There can be no container here.
    """

    state: VshellSandboxSessionState

    def __init__(
        self,
        state: VshellSandboxSessionState,
        context: Context,
        *,
        owns: bool,
        rules: Any = None,
    ) -> None:
        self.state = state
        self._context = context
        self._owns = owns
        self._is_running = False
        choice: ExecutorChoice = state.executor
        self._executor = open_executor(context, choice, image=state.image, rules=rules)
        if self._executor.root not in ("/", state.manifest.root):
            raise RangeError(
                f"in a container the manifest's root is {self._executor.root}, and not"
                f" {state.manifest.root}"
            )

    def _inside(self, path: Path | str) -> str:
        return to_workspace(self._executor.root, self.normalize_path(path).as_posix())

    async def _do(self, work: Callable[[], Result]) -> Result:
        return await anyio.to_thread.run_sync(work)

    # The life of a session.

    async def _prepare_backend_workspace(self) -> None:
        root = to_workspace(self._executor.root, self.state.manifest.root)
        try:
            await self._do(lambda: mkdir(self._context, root, parents=True, exist_ok=True))
        except VshellError as error:
            raise WorkspaceStartError(path=Path(self.state.manifest.root), cause=error) from error

    async def _after_start(self) -> None:
        self._is_running = True

    async def _shutdown_backend(self) -> None:
        self._is_running = False
        await self._do(self._close)

    def _close(self) -> None:
        self._executor.close()
        if self._owns:
            self._context.files.close()

    async def running(self) -> bool:
        """Whether it was started and not shut down."""
        return self._is_running

    # Commands.

    async def _exec_internal(
        self, *command: str | Path, timeout: float | None = None
    ) -> ExecResult:
        words = [str(each) for each in command]
        environment = await self.state.manifest.environment.resolve()
        prepared = self._executor.command(
            words, cwd=self.state.manifest.root, environment=environment, timeout_s=timeout
        )
        try:
            ran = await run_command(prepared)
        except VshellError as error:
            raise ExecTransportError(command=words, cause=error) from error
        if ran.timed_out:
            raise ExecTimeoutError(command=words, timeout_s=timeout)
        return ExecResult(stdout=ran.stdout, stderr=ran.stderr, exit_code=ran.exit_code)

    # Files.

    async def read(self, path: Path, *, user: Any = None) -> io.IOBase:
        """Return a file, to be read."""
        if user is not None:
            await self._check_read_with_exec(path, user=user)
        where = self._inside(path)
        try:
            data = await self._do(lambda: self._context.files.read_with_stat(where)[0])
        except NotFoundError as error:
            raise WorkspaceReadNotFoundError(path=path, cause=error) from error
        except VshellError as error:
            raise WorkspaceArchiveReadError(path=path, cause=error) from error
        return io.BytesIO(data)

    async def write(self, path: Path, data: io.IOBase, *, user: Any = None) -> None:
        """Give a file this content; its parents are made."""
        if user is not None:
            await self._check_write_with_exec(path, user=user)
        normal = self.normalize_path(path, for_write=True)
        where = self._inside(normal)
        stream = coerce_write_payload(path=path, data=data).stream
        try:
            await self._do(lambda: write(self._context, where, bytes(stream.read())))
        except VshellError as error:
            raise WorkspaceArchiveWriteError(path=normal, cause=error) from error

    async def persist_workspace(self) -> io.IOBase:
        """Return the files as a tar, without what the manifest makes anew each time."""
        root = to_workspace(self._executor.root, self.state.manifest.root)
        skipped = {each.as_posix() for each in self._persist_workspace_skip_relpaths()}
        try:
            return await self._do(lambda: _packed(self._context, root, skipped))
        except VshellError as error:
            raise WorkspaceArchiveReadError(
                path=Path(self.state.manifest.root), cause=error
            ) from error

    async def hydrate_workspace(self, data: io.IOBase) -> None:
        """Put the files of a tar into the workspace: all of them, or none."""
        root = to_workspace(self._executor.root, self.state.manifest.root)
        try:
            await self._do(lambda: _unpack(self._context, root, data))
        except VshellError as error:
            raise WorkspaceArchiveWriteError(
                path=Path(self.state.manifest.root), cause=error
            ) from error


class VshellSandboxClient(BaseSandboxClient[VshellSandboxClientOptions | None]):  # type: ignore[misc]
    """Makes sessions in workspaces.

    Args:
        workspace: A workspace or session of vshell that all sessions share, or a directory of
            the host in which each has a workspace of its own.
        rules: What the virtual shell may run, as `Session.shell` takes it.
    """

    backend_id = "vshell"
    supports_default_options = True

    def __init__(self, workspace: Context | PathLike, *, rules: Any = None) -> None:
        self._shared = workspace if isinstance(workspace, Context) else None
        self._directory = None if isinstance(workspace, Context) else Path(workspace)
        self._rules = rules

    async def create(
        self,
        *,
        snapshot: Any = None,
        manifest: Manifest | None = None,
        options: VshellSandboxClientOptions | None = None,
    ) -> SandboxSession:
        """Make a session."""
        chosen = options or VshellSandboxClientOptions()
        number = uuid.uuid4()
        state = VshellSandboxSessionState(
            session_id=number,
            manifest=self._validate_manifest_for_create(manifest or Manifest()),
            snapshot=resolve_snapshot(snapshot, str(number)),
            path=None if self._directory is None else str(self._directory / f"{number}.db"),
            executor=chosen.executor,
            image=chosen.image,
        )
        return await self._opened(state)

    async def resume(self, state: SandboxSessionState) -> SandboxSession:
        """Go on with a session; its workspace is as it was, or, if that is gone, empty."""
        if not isinstance(state, VshellSandboxSessionState):
            raise TypeError(f"a session of vshell is needed, and not of {state.type}")
        state.assert_path_grants_rebound()
        return await self._opened(state, is_resumed=True)

    async def _opened(
        self, state: VshellSandboxSessionState, *, is_resumed: bool = False
    ) -> SandboxSession:
        path = self._path_of(state)
        is_there = path is None or path.exists()
        context = await anyio.to_thread.run_sync(self._context_for, path)
        inner = VshellSandboxSession(state, context, owns=path is not None, rules=self._rules)
        inner._set_start_state_preserved(is_resumed and is_there)
        return self._wrap_session(inner)

    def _path_of(self, state: VshellSandboxSessionState) -> Path | None:
        """Return the file of a session's workspace, which is in the client's directory."""
        if self._directory is None or state.path is None:
            return None
        path = Path(state.path)
        if path.parent.absolute() != self._directory.absolute():
            raise InvalidPathError("the session's workspace is not in the client's directory")
        return path

    def _context_for(self, path: Path | None) -> Context:
        if path is None:
            if self._shared is None:
                raise InvalidPathError("the session has no workspace of its own")
            return self._shared
        path.parent.mkdir(parents=True, exist_ok=True)
        return Workspace.open(path).session(_NAME)

    async def delete(self, session: SandboxSession) -> SandboxSession:
        """Remove the workspace of a session; one that all share stays."""
        inner = session._inner
        if not isinstance(inner, VshellSandboxSession):
            raise TypeError("a session of vshell is needed")
        path = self._path_of(inner.state)
        if path is not None:
            await anyio.to_thread.run_sync(inner._close)
            for each in path.parent.glob(f"{path.name}*"):
                each.unlink(missing_ok=True)
        return session

    def deserialize_session_state(self, payload: dict[str, object]) -> SandboxSessionState:
        """Return what `serialize_session_state` made into data."""
        return self._deserialize_session_state_payload(payload, VshellSandboxSessionState)


def _packed(context: Context, root: str, skipped: set[str]) -> io.IOBase:
    whole = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="vshell-") as directory:
        file = Path(directory, "workspace.tar")
        export_archive(context, file, source=root, format="tar")
        if not skipped:
            return io.BytesIO(file.read_bytes())
        with tarfile.open(file) as packed, tarfile.open(fileobj=whole, mode="w") as kept:
            for member in packed:
                if not _is_in(member.name, skipped):
                    _add(kept, packed, member)
    whole.seek(0)
    return whole


def _add(kept: tarfile.TarFile, packed: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    content = packed.extractfile(member) if member.isreg() or member.islnk() else None
    if content is not None:
        # What a hard link leads to may be left out: each has its own content.
        data = content.read()
        member.type, member.linkname, member.size = tarfile.REGTYPE, "", len(data)
        kept.addfile(member, io.BytesIO(data))
        return
    kept.addfile(member)


def _is_in(name: str, places: set[str]) -> bool:
    path = PurePosixPath(name)
    return any(each.as_posix() in places for each in (path, *path.parents))


def _unpack(context: Context, root: str, data: io.IOBase) -> None:
    with tempfile.TemporaryDirectory(prefix="vshell-") as directory:
        file = Path(directory, "workspace.tar")
        with file.open("wb") as copy:
            while block := data.read(1 << 20):
                copy.write(block)
        import_archive(context, file, root, format="tar")
