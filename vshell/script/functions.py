"""Functions of the host that a script may call beside `state`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from vshell.errors import RangeError, VshellError
from vshell.ops.state import METHODS_BY_NAME
from vshell.ops.state_table import MethodKind

__all__ = ["Function", "PauseRun", "functions_of"]


class PauseRun(VshellError):  # noqa: N818 - it is a request
    """Raise it in a function to end a durable run for now; `Runs.resume` makes the call again."""

    code: ClassVar[str] = "pause"


@dataclass(frozen=True, slots=True)
class Function:
    """A function that scripts may call by its name.

    Attributes:
        call: Takes and returns what messages can hold. If it has the parameter
            `idempotency_key`, it gets text that is the same when a durable run makes the same
            call again after a crash.
        kind: `"read"`, `"write"` or `"external"`: whether it does something outside of the
            workspace, which nothing here can undo. After such a call no other engine is tried.
    """

    call: Callable[..., Any]
    kind: MethodKind = "external"

    @property
    def takes_key(self) -> bool:
        """Whether it wants an idempotency key."""
        try:
            return "idempotency_key" in inspect.signature(self.call).parameters
        except (TypeError, ValueError):  # some builtins have no signature
            return False


def functions_of(given: Mapping[str, Function | Callable[..., Any]] | None) -> dict[str, Function]:
    """Return functions as a caller may give them.

    Raises:
        RangeError: A name is no identifier, or is taken.
    """
    found: dict[str, Function] = {}
    for name, function in (given or {}).items():
        if not name.isidentifier() or name in METHODS_BY_NAME or name in ("state", "inputs"):
            raise RangeError(f"no function of a script can be called {name[:100]!r}")
        found[name] = function if isinstance(function, Function) else Function(function)
    return found
