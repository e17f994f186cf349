"""`State`: the files of a workspace, as scripts use them.

It has the methods of `state_methods.METHODS` and `BULK_METHODS`, each under its name in
camelCase and in snake_case. Arguments come by position, by name, or as one object (see
`state_table`). What comes back is plain data with the field names of JavaScript: dicts,
lists, text, bytes, numbers, booleans and None. Times are milliseconds since 1970.

    state = workspace.state
    for match in state.search_text("/notes.md", "TODO", case_sensitive=False):
        print(match["line"], match["lineText"])

Relative paths and globs start at the context's working directory, `..` takes a name
back, and whatever is written makes the directories that are missing. Every method that
changes anything does all of it or nothing, in one transaction; the one exception is
asked for with `rollbackOnError: false`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from vshell.limits import PATTERN_TIMEOUT_S
from vshell.ops.context import Context
from vshell.ops.state_methods import BULK_METHODS, METHODS
from vshell.ops.state_table import Method, bind
from vshell.ops.state_types import BadCallError, kind_of

__all__ = ["ALL_METHODS", "METHODS_BY_NAME", "BadCallError", "State"]

ALL_METHODS: Final = (*METHODS, *BULK_METHODS)
METHODS_BY_NAME: Final[dict[str, Method]] = {
    name: method for method in ALL_METHODS for name in (method.name, method.python_name)
}
"""The methods by both of their names."""


class State:
    """The scripting methods, for one context.

    Args:
        context: Whose files, working directory and name in the journal.
        timeout_s: How long the searches of one call may take, in seconds.
    """

    __slots__ = ("_context", "_timeout_s")

    def __init__(self, context: Context, *, timeout_s: float = PATTERN_TIMEOUT_S) -> None:
        self._context = context
        self._timeout_s = timeout_s

    def dispatch(
        self,
        name: str,
        arguments: object = (),
        named: Mapping[str, object] = MappingProxyType({}),
        *,
        timeout_s: float | None = None,
    ) -> Any:
        """Call a method by its name, as a script engine does.

        Args:
            name: The name in camelCase or snake_case.
            arguments: The arguments by position, as a list, or by name, as an object.
            named: More arguments by name.
            timeout_s: How long its searches may take; None for what the `State` has.

        Returns:
            What the method returns.

        Raises:
            BadCallError: There is no such method, or it does not take these arguments.
            VshellError: What the method raises.
        """
        method = METHODS_BY_NAME.get(name) if isinstance(name, str) else None
        if method is None:
            raise _unknown(name)
        if isinstance(arguments, Mapping):
            return self._call(method, (), {**arguments, **named}, timeout_s)
        if not isinstance(arguments, (list, tuple)):
            raise BadCallError(
                f"the arguments of {method.name} are a list or an object, not {kind_of(arguments)}"
            )
        return self._call(method, arguments, named, timeout_s)

    def _call(
        self,
        method: Method,
        arguments: Sequence[object],
        named: Mapping[str, object],
        timeout_s: float | None = None,
    ) -> Any:
        values = bind(method, arguments, named)
        if method.timed:
            values["timeout_s"] = self._timeout_s if timeout_s is None else timeout_s
        return method.function(self._context, **values)

    if TYPE_CHECKING:  # the methods are made from the table, below

        def __getattr__(self, name: str) -> Callable[..., Any]: ...


def _unknown(name: object) -> BadCallError:
    import difflib

    text = str(name)[:100]
    known = [method.python_name if "_" in text else method.name for method in ALL_METHODS]
    near = difflib.get_close_matches(text, known, n=1)
    return BadCallError(
        f"there is no method {text}",
        hint=f"did you mean {near[0]}?" if near else "see the list of methods",
    )


def _method_of(declared: Method) -> Callable[..., Any]:
    def method(self: State, *arguments: object, **named: object) -> Any:
        return self._call(declared, arguments, named)

    method.__name__ = declared.python_name
    method.__qualname__ = f"State.{declared.python_name}"
    method.__doc__ = _documentation(declared)
    return method


def _documentation(declared: Method) -> str:
    lines = [declared.doc, "", f"JavaScript: {declared.usage}"]
    if declared.parameters:
        lines += ["", "Args:"]
        lines += [f"    {each.python_name}: {each.doc}" for each in declared.parameters]
    return "\n".join(lines)


def _add_methods() -> None:
    for declared in ALL_METHODS:
        method = _method_of(declared)
        setattr(State, declared.python_name, method)
        setattr(State, declared.name, method)


_add_methods()
