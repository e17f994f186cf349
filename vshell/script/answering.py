"""Answering a script's calls: the methods of `state`, and functions of the host."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final, Literal, Protocol

from vshell.errors import VshellError
from vshell.ops.context import Context
from vshell.ops.state import METHODS_BY_NAME, State
from vshell.ops.state_table import MethodKind
from vshell.script.engine import Call, Guest, Value
from vshell.script.functions import Function, PauseRun
from vshell.script.result import ScriptError

__all__ = ["Answerer", "Answers", "CallError", "StoppedError", "kind_of_call", "perform"]

_LEAST_TIME_S: Final = 0.001


class CallError(Exception):
    """A call that fails in the script.

    Args:
        type: The builtin exception of Python that it is most like.
        message: What it says.
        data: More about it, as messages hold it.
    """

    def __init__(self, type: str, message: str, data: Mapping[str, Value]) -> None:
        super().__init__(message)
        self.type = type
        self.message = message
        self.data = data

    @property
    def code(self) -> str:
        """What a record of the call says."""
        return str(self.data.get("code", self.type))


class StoppedError(Exception):
    """Ends a run that cannot go on.

    Args:
        error: How its result says so.
        status: What it ends with.
    """

    def __init__(self, error: ScriptError, status: Literal["error", "conflict"] = "error") -> None:
        super().__init__(error.message)
        self.error = error
        self.status: Literal["error", "conflict"] = status


class Answerer(Protocol):
    """Answers calls, and keeps what has to be kept of them."""

    def answer(self, call: Call, guest: Guest, deadline: float) -> Value:
        """Return what a call returns.

        Raises:
            CallError: The call fails.
            PauseRun: The run ends for now.
            StoppedError: It ends here.
        """

    def ahead(self, call: Call, value: Value) -> Mapping[str, Value]:
        """Return what the script is about to read, as far as it can be told and kept true.

        Args:
            call: The call that was just answered.
            value: What was answered.
        """


class Answers:
    """Answers calls on one context, whatever it stands on.

    Args:
        context: Where the files are.
        functions: The functions beside `state`.
    """

    def __init__(self, context: Context, functions: Mapping[str, Function]) -> None:
        self.state = State(context)
        self.functions = functions

    def answer(self, call: Call, guest: Guest, deadline: float) -> Value:  # noqa: ARG002
        return perform(self.state, self.functions, call, deadline)

    def ahead(self, call: Call, value: Value) -> Mapping[str, Value]:  # noqa: ARG002
        return {}


def kind_of_call(call: Call, functions: Mapping[str, Function]) -> MethodKind:
    """Return what a call may do; one of something unknown fails, so it only reads."""
    if call.method in functions:
        return functions[call.method].kind
    method = METHODS_BY_NAME.get(call.method)
    return "read" if method is None else method.kind


def perform(
    state: State,
    functions: Mapping[str, Function],
    call: Call,
    deadline: float,
    *,
    key: str = "",
) -> Value:
    """Do what a call asks for; errors as `Answerer.answer`.

    Args:
        state: The methods.
        functions: The functions.
        call: The call.
        deadline: When the run ends, of `time.monotonic()`.
        key: The idempotency key.
    """
    function = functions.get(call.method)
    if function is not None:
        return _call_function(function, call, key)
    left_s = max(_LEAST_TIME_S, deadline - time.monotonic())
    timeout_s = min(left_s, 10.0)
    try:
        return state.dispatch(call.method, call.arguments, call.keywords, timeout_s=timeout_s)
    except VshellError as error:
        raise _failed(error) from None
    except (RecursionError, MemoryError, UnicodeError) as error:
        # What a hostile value leads to in the depths of a method.
        raise CallError(type(error).__name__, f"{call.method} cannot take this", {}) from None


def _call_function(function: Function, call: Call, key: str) -> Value:
    extra: dict[str, Any] = {"idempotency_key": key} if function.takes_key else {}
    try:
        return function.call(*call.arguments, **{**call.keywords, **extra})
    except PauseRun:
        raise
    except VshellError as error:
        raise _failed(error) from None
    except Exception as error:  # noqa: BLE001 - it is the caller's function, and may raise anything
        raise CallError(_builtin_name(error), str(error), {}) from None


def _failed(error: VshellError) -> CallError:
    data = {name: value for name, value in error.as_dict().items() if name != "message"}
    return CallError(_builtin_name(error), error.message, data)


def _builtin_name(error: Exception) -> str:
    """Return the builtin exception that an error is, or is derived from."""
    for kind in type(error).__mro__:
        if kind.__module__ == "builtins" and kind not in (Exception, BaseException, object):
            return kind.__name__
    return "Exception"
