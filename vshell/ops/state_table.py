"""What a scripting method is: its name, its parameters, and how a call fills them.

`state_methods.METHODS` declares every method once, in these terms. Both spellings of a
name, the binding of arguments, stubs and the reference come from there.

A call gives its arguments by position, by name, or as one object:

    state.writeJson("/a.json", value, {"spaces": 4})
    state.write_json("/a.json", value, spaces=4)
    state.writeJson({"path": "/a.json", "value": value, "options": {"spaces": 4}})

Options may stand in an object of their own or beside the other names. Every name is
known in camelCase and in snake_case. What JavaScript leaves undefined arrives as None
and is as good as not given.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from vshell.ops.state_types import JSON, OBJECT, BadCallError, Type, kind_of

__all__ = ["REQUIRED", "Method", "Parameter", "bind", "options_of", "snake_case"]

MethodKind = Literal["read", "write", "external"]

REQUIRED: Final = object()
"""The default of a parameter that has none."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a method, or one option.

    Attributes:
        name: Its name in camelCase.
        type: What it may be.
        doc: What it means.
        default: What it is when it is not given, or `REQUIRED`.
        option: Whether it belongs to the method's options.
        aliases: Other names that a call may use for it.
    """

    name: str
    type: Type
    doc: str
    default: object = REQUIRED
    option: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def python_name(self) -> str:
        return snake_case(self.name)

    @property
    def all_names(self) -> set[str]:
        """Every name that a call may use for it."""
        names = (self.name, *self.aliases)
        return {*names, *map(snake_case, names)}


@dataclass(frozen=True)
class Method:
    """One method of the scripting API.

    Attributes:
        name: Its name in camelCase.
        kind: `"read"`; `"write"` when it can change files; `"external"` when it does
            something outside of the workspace, which nothing here can undo.
        parameters: The parameters in their order, options last.
        doc: What it does; the first line is the summary.
        result: The type of what it returns, as TypeScript writes it.
        module: Where in `vshell.ops` the function is that has the name in snake_case. It
            takes a context and all parameters, options by name.
        timed: Whether the function takes `timeout_s`, too.
    """

    name: str
    kind: MethodKind
    parameters: tuple[Parameter, ...]
    doc: str
    result: str
    module: str
    timed: bool = False

    @cached_property
    def python_name(self) -> str:
        return snake_case(self.name)

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The function that does it."""
        module = importlib.import_module(f"vshell.ops.{self.module}")
        function: Callable[..., Any] = getattr(module, self.python_name)
        return function

    @cached_property
    def positional(self) -> tuple[Parameter, ...]:
        """The parameters that are no options."""
        return tuple(parameter for parameter in self.parameters if not parameter.option)

    @cached_property
    def options(self) -> tuple[Parameter, ...]:
        """The options."""
        return tuple(parameter for parameter in self.parameters if parameter.option)

    @cached_property
    def names(self) -> dict[str, Parameter]:
        """The parameters by every name that a call may use."""
        return {name: each for each in self.parameters for name in each.all_names}

    @cached_property
    def defaults(self) -> dict[str, object]:
        """The defaults of the parameters that have one, by their names in Python."""
        return {
            each.python_name: each.default
            for each in self.parameters
            if each.default is not REQUIRED
        }

    @cached_property
    def readers(self) -> tuple[tuple[str, Callable[[object, str], Any], str, bool], ...]:
        """For each positional parameter: its name in Python, its type's `read` and what that
        calls the value, and whether the parameter may be left out."""
        return tuple(
            (
                each.python_name,
                each.type.read,
                f"{each.name} of {self.name}",
                each.default is not REQUIRED,
            )
            for each in self.positional
        )

    @cached_property
    def usage(self) -> str:
        """How it is called, for messages, such as `mkdir(path, {recursive?})`."""
        names = [_optional(parameter) for parameter in self.positional]
        if self.options:
            names.append(f"{{{', '.join(_optional(option) for option in self.options)}}}")
        return f"{self.name}({', '.join(names)})"


def _optional(parameter: Parameter) -> str:
    return parameter.name if parameter.default is REQUIRED else f"{parameter.name}?"


@functools.cache
def snake_case(name: str) -> str:
    """Return a name in camelCase as Python writes it."""
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


def bind(
    method: Method, arguments: Sequence[object], named: Mapping[str, object]
) -> dict[str, Any]:
    """Return the value of every parameter of a call, by its name in Python.

    Args:
        method: The method.
        arguments: The arguments by position.
        named: The arguments by name.

    Raises:
        BadCallError: An argument is missing, of a wrong type, unknown, or given twice.
        RangeError: A number is out of range.
    """
    if not named:
        values = _bind_by_position(method, arguments)
        if values is not None:
            return values
    given = _Given(method.name, f"call it as {method.usage}", method.names)
    if len(arguments) == 1 and _is_object_form(method, arguments[0]):
        given.add_all(arguments[0])
    else:
        _add_positional(given, method, arguments)
    given.add_all(named)
    return given.values(method.parameters)


def _bind_by_position(method: Method, arguments: Sequence[object]) -> dict[str, Any] | None:
    """Bind the plainest form of a call, which most have; None when it is another one."""
    readers = method.readers
    if len(arguments) > len(readers):
        return None
    values = method.defaults.copy()
    for argument, (name, read, where, _) in zip(arguments, readers, strict=False):
        if argument is None or isinstance(argument, dict):
            return None  # not given, or a form of its own
        values[name] = read(argument, where)
    if not all(optional for *_, optional in readers[len(arguments) :]):
        return None  # what is missing is said elsewhere
    return values


def options_of(parameters: Sequence[Parameter], options: object, where: str) -> dict[str, Any]:
    """Return the values of options that are part of a value, by their names in Python.

    Args:
        parameters: The options that there are.
        options: The object with the options, or None.
        where: What they are options of, for messages.

    Raises:
        BadCallError: An option is unknown, of a wrong type or given twice.
        RangeError: A number is out of range.
    """
    names = {name: each for each in parameters for name in each.all_names}
    hint = f"the options are {', '.join(parameter.name for parameter in parameters)}"
    given = _Given(where, hint, names)
    given.add_all(options)
    return given.values(parameters)


class _Given:
    """The arguments of one call, as they are found."""

    def __init__(self, where: str, hint: str, names: Mapping[str, Parameter]) -> None:
        self.hint = hint
        self._where = where
        self._names = names
        self._found: dict[str, object] = {}

    def add(self, name: object, value: object) -> None:
        known = self._names.get(name) if isinstance(name, str) else None
        if known is None:
            raise BadCallError(f"{self._where} takes no {str(name)[:100]}", hint=self.hint)
        self.put(known, value)

    def put(self, parameter: Parameter, value: object) -> None:
        if self._found.get(parameter.name) is not None:
            raise BadCallError(f"{self._where} got {parameter.name} twice", hint=self.hint)
        self._found[parameter.name] = value

    def add_all(self, named: object) -> None:
        """Add what an object holds; its `options` are an object of their own."""
        for name, value in self._items(named):
            if name == "options" and any(each.option for each in self._names.values()):
                self.add_options(value)
            else:
                self.add(name, value)

    def add_options(self, options: object) -> None:
        for name, value in self._items(options):
            known = self._names.get(name) if isinstance(name, str) else None
            if known is not None and not known.option:
                raise BadCallError(f"{self._where} has no option {known.name}", hint=self.hint)
            self.add(name, value)

    def _items(self, named: object) -> Iterable[tuple[object, object]]:
        if named is None:
            return ()
        if not isinstance(named, Mapping):
            raise BadCallError(
                f"the options of {self._where} are an object, not {kind_of(named)}", hint=self.hint
            )
        return named.items()

    def values(self, parameters: Sequence[Parameter]) -> dict[str, Any]:
        return {parameter.python_name: self._value(parameter) for parameter in parameters}

    def _value(self, parameter: Parameter) -> Any:
        value = self._found.get(parameter.name, REQUIRED)
        if value is REQUIRED or (value is None and parameter.type is not JSON):
            if parameter.default is REQUIRED:
                raise BadCallError(f"{self._where} needs {parameter.name}", hint=self.hint)
            return parameter.default
        return parameter.type.read(value, f"{parameter.name} of {self._where}")


def _is_object_form(method: Method, argument: object) -> bool:
    """Tell whether a single argument holds all arguments by name.

    Where the first parameter is an object itself, it does so when it names that parameter.
    """
    if not isinstance(argument, Mapping):
        return False
    first = method.positional[0] if method.positional else None
    if first is None or first.type.read is not OBJECT.read:
        return True
    return any(name in argument for name in first.all_names)


def _add_positional(given: _Given, method: Method, arguments: Sequence[object]) -> None:
    for parameter, argument in zip(method.positional, arguments, strict=False):
        given.put(parameter, argument)
    rest = arguments[len(method.positional) :]
    if rest and method.options and (rest[0] is None or isinstance(rest[0], Mapping)):
        given.add_options(rest[0])
        rest = rest[1:]
    if any(argument is not None for argument in rest):
        raise BadCallError(
            f"{method.name} was called with {len(arguments)} arguments", hint=given.hint
        )
