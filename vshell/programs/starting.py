"""The host's half: starts a guest, and keeps the means to end it."""

from __future__ import annotations

from typing import Final

from vshell.fs.filesystem import FileSystem
from vshell.shell.programs import Program, Programs, Started

__all__ = ["programs_of"]

_ENGINES: Final = {"python": "cpython", "javascript": "quickjs"}
_RUNNER: Final = "vshell.programs.serving:serve"


def programs_of(files: FileSystem) -> Programs:
    """Return what starts programs for the shells of a workspace."""

    def start(program: Program, timeout_s: float) -> Started:
        from vshell.script.engine import Job
        from vshell.script.engines.jailed import JailedEngine
        from vshell.script.limits import Limits
        from vshell.script.pool import scripts_of
        from vshell.script.request import METHOD_NAMES

        engine = scripts_of(files).engine(_ENGINES[program.language])
        assert isinstance(engine, JailedEngine)
        job = Job(
            source=program.source,
            language=program.language,
            methods=METHOD_NAMES,
            limits=Limits(timeout_s=max(timeout_s, 0.001)),
            name=program.name,
            mode="program",
            arguments=program.arguments,
            stdin=None,
        )
        socket, process = engine.start(job).detach()
        assert process is not None, "a guest that was just started is this process's"
        return Started(socket, process, _RUNNER)

    return start
