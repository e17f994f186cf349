"""What can be told of a program before it runs: which names are arrays, which hold numbers only.

Both are found by assuming the best (a scalar, numbers only) and giving it up wherever the
program contradicts, until nothing changes any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import Final

from vshell.shell.commands.awk import syntax
from vshell.shell.commands.awk.errors import AwkFatal, AwkSyntaxError
from vshell.shell.commands.awk.syntax import Expression, Program

__all__ = ["NUMERIC", "SPECIAL", "Facts", "Key", "Kind"]

Key = tuple[str, str]
"""A function ("" for all of the program) and a name in it."""


class Kind(Enum):
    """What the Python expression that an expression becomes can give."""

    NUMBER = auto()
    COUNT = auto()
    """A number, or `UNSET`."""
    BOOLEAN = auto()
    """Something true or false."""
    TEXT = auto()
    """A text that compares as one."""
    FIELD = auto()
    """A text from outside: it compares as a number if it looks like one."""
    ANY = auto()


NUMERIC: Final = frozenset({Kind.NUMBER, Kind.COUNT, Kind.BOOLEAN})
SPECIAL: Final = frozenset(
    [
        "CONVFMT",
        "FIELDWIDTHS",
        "FPAT",
        "FS",
        "IGNORECASE",
        "NF",
        "OFMT",
        "OFS",
        "ORS",
        "RS",
        "SUBSEP",
    ]
)
"""Variables that mean something to the interpreter when they are set."""
_FIXED: Final[dict[type, Kind]] = {
    syntax.Number: Kind.NUMBER,
    syntax.Arithmetic: Kind.NUMBER,
    syntax.Increment: Kind.NUMBER,
    syntax.Getline: Kind.NUMBER,
    syntax.Text: Kind.TEXT,
    syntax.Concatenation: Kind.TEXT,
    syntax.Field: Kind.FIELD,
    syntax.Comparison: Kind.BOOLEAN,
    syntax.Match: Kind.BOOLEAN,
    syntax.Logic: Kind.BOOLEAN,
    syntax.Membership: Kind.BOOLEAN,
}
_NUMBERS: Final = frozenset({"NR", "FNR", "RSTART", "RLENGTH", "ARGC"})
_MIXED: Final = frozenset({"ERRNO", "FILENAME", "RT", "TEXTDOMAIN", "ARGIND", "BINMODE", "LINT"})
_ARRAYS: Final = frozenset({"ARGV", "ENVIRON", "PROCINFO"})
_MISSING: Final = frozenset({"SYMTAB", "FUNCTAB"})
_TEXTS: Final = frozenset(
    {"dcgettext", "gensub", "sprintf", "strftime", "substr", "tolower", "toupper", "typeof"}
)
_ARRAY_ARGUMENTS: Final = {
    "split": (1, 3),
    "patsplit": (1, 3),
    "match": (2,),
    "asort": (0, 1),
    "asorti": (0, 1),
}


class Facts:
    """What is known of a program.

    Args:
        program: The program.
        assigned: Names that the command line gives values.

    Raises:
        AwkFatal: It calls a function that is not there, or takes an array for a scalar.
    """

    def __init__(self, program: Program, assigned: Iterable[str] = ()) -> None:
        self._program = program
        self._functions = program.functions
        self.arrays: set[Key] = {("", name) for name in _ARRAYS}
        self._holds: dict[Key, Kind] = {("", name): Kind.COUNT for name in _NUMBERS}
        self._holds |= {("", name): Kind.ANY for name in _MIXED | _ARRAYS | SPECIAL | set(assigned)}
        self.names: set[str] = set()
        self.assigned = set(assigned)
        self.changes_fields = False
        self.has_odd_fields = False
        self.max_field = 0
        self.raises_next = False
        self._links: list[tuple[Key, Key]] = []
        self._flows: list[tuple[Key, str, Expression | Kind]] = []
        for function, node in self._nodes():
            self._note(function, node)
        self._is_dynamic = bool(_MISSING & self.names) or self._touches_arguments()
        self._spread_arrays()
        self._spread_kinds()
        self._check_names()

    def _nodes(self) -> Iterator[tuple[str, object]]:
        for rule in self._program.rules:
            for node in syntax.walk(rule):
                yield "", node
        for function in self._functions.values():
            for node in syntax.walk(function.body):
                yield function.name, node

    # Names.

    def key(self, function: str, name: str) -> Key:
        """Return what a name means in a function."""
        if function and name in self._functions[function].parameters:
            return function, name
        return "", name

    def is_array(self, function: str, name: str) -> bool:
        """Tell whether a name is an array."""
        return self.key(function, name) in self.arrays

    def is_constant(self, name: str) -> bool:
        """Tell whether a special variable is never set, by the program or from outside."""
        return name not in self.assigned and not self._is_dynamic

    def _check_names(self) -> None:
        if missing := _MISSING & self.names:
            raise AwkFatal(f"{min(missing)} is not supported")
        for function in self._functions.values():
            for name in function.parameters:
                if name in self._functions or name in SPECIAL:
                    kind = "function name" if name in self._functions else "special variable"
                    raise AwkSyntaxError(
                        f"function `{function.name}': cannot use {kind} `{name}' as a"
                        " parameter name",
                        function.position,
                    )
        for name in self.names & set(self._functions):
            raise AwkFatal(f"function name `{name}' used as a variable")

    def _touches_arguments(self) -> bool:
        """Whether operands, which may be assignments, can be others than those typed."""
        return any(
            isinstance(node, syntax.Name) and node.name in ("ARGV", "ARGC")
            for _, node in self._nodes()
        )

    # What each part of the program says.

    def _note(self, function: str, node: object) -> None:
        match node:
            case syntax.Name(name):
                self.names.add(name)
            case syntax.Element(array) | syntax.Membership(_, array) | syntax.Delete(array):
                self._note_array(function, array)
            case syntax.ForIn(target, array):
                self._note_array(function, array)
                self._note_set(function, target, Kind.ANY)
            case syntax.Field(index):
                self._note_field(index)
            case syntax.Builtin():
                self._note_builtin(function, node)
            case syntax.Call():
                self._note_call(function, node)
            case syntax.Jump("next" | "nextfile") if function:
                self.raises_next = True
            case _:
                self._note_flow(function, node)

    def _note_flow(self, function: str, node: object) -> None:
        match node:
            case syntax.Assignment(operator, target, value):
                self._note_set(function, target, Kind.NUMBER if operator else value)
            case syntax.Increment(target):
                self._note_set(function, target, Kind.NUMBER)
            case syntax.Getline(_, _, target):
                self._note_set(function, target, Kind.FIELD)
            case syntax.Return(value) if value is not None:
                self._flows.append((("return", function), function, value))
            case _:
                pass

    def _note_field(self, index: Expression) -> None:
        if isinstance(index, syntax.Number) and 0 <= index.value < 1000:
            self.max_field = max(self.max_field, int(index.value))
        else:
            self.has_odd_fields = True

    def _note_array(self, function: str, array: syntax.Name | syntax.Element) -> None:
        nested = isinstance(array, syntax.Element)
        while isinstance(array, syntax.Element):
            array = array.array
        key = self.key(function, array.name)
        self.arrays.add(key)
        if nested:
            self._holds[key] = Kind.ANY

    def _note_set(self, function: str, target: object, value: Expression | Kind) -> None:
        """Note that a variable, element or field gets a value, or one of a kind."""
        if isinstance(target, syntax.Group):
            target = target.inside
        if isinstance(target, syntax.Field):
            self.changes_fields = True
            return
        if isinstance(target, syntax.Name):
            key = self.key(function, target.name)
            if key == ("", target.name):
                self.assigned.add(target.name)
                self.changes_fields |= target.name == "NF"
        elif isinstance(target, syntax.Element) and isinstance(target.array, syntax.Name):
            key = self.key(function, target.array.name)
        else:
            return
        self._flows.append((key, function, value))

    def _note_builtin(self, function: str, node: syntax.Builtin) -> None:
        arguments = node.arguments
        for place in _ARRAY_ARGUMENTS.get(node.name, ()):
            if place < len(arguments):
                array = arguments[place]
                if not isinstance(array, syntax.Name | syntax.Element):
                    raise AwkFatal(f"{node.name}: argument {place + 1} is not an array")
                self._note_array(function, array)
                is_split = node.name in ("split", "patsplit") and place == 1
                kind = Kind.FIELD if is_split else Kind.ANY
                while isinstance(array, syntax.Element):
                    array, kind = array.array, Kind.ANY
                self._flows.append((self.key(function, array.name), function, kind))
        if node.name in ("sub", "gsub") and len(arguments) == 3:
            self._note_set(function, arguments[2], Kind.ANY)
        if node.name == "match":
            self.names |= {"RSTART", "RLENGTH"}

    def _note_call(self, function: str, node: syntax.Call) -> None:
        if node.is_indirect:
            for found in self._functions.values():
                self._holds |= {(found.name, name): Kind.ANY for name in found.parameters}
            self.names.add(node.name)
            return
        called = self._functions.get(node.name)
        if called is None:
            raise AwkFatal(f"function `{node.name}' not defined", node.position)
        if len(node.arguments) > len(called.parameters):
            message = f"function `{node.name}' called with more arguments than declared"
            raise AwkFatal(message, node.position)
        for parameter, argument in zip(called.parameters, node.arguments, strict=False):
            inner = (called.name, parameter)
            self._flows.append((inner, function, argument))
            if isinstance(argument, syntax.Name):
                self._links.append((self.key(function, argument.name), inner))
            elif isinstance(argument, syntax.Element):
                base: syntax.Name | syntax.Element = argument
                while isinstance(base, syntax.Element):
                    base = base.array
                self._links.append((("element", ""), inner))
                self._holds[self.key(function, base.name)] = Kind.ANY

    # What follows from it.

    def _spread_arrays(self) -> None:
        """Find what is an array because a function takes or gives it as one."""
        changed = True
        while changed:
            before = len(self.arrays)
            for outer, inner in self._links:
                if inner in self.arrays and outer[0] != "element":
                    self.arrays.add(outer)
                elif outer in self.arrays:
                    self.arrays.add(inner)
            changed = len(self.arrays) != before
        # What a function does to the elements of an array that it is given, only it knows.
        self._holds |= {key: Kind.ANY for link in self._links for key in link if key in self.arrays}

    def _spread_kinds(self) -> None:
        """Find what variables and elements hold, from all that they are given."""
        if self._is_dynamic:
            self._holds |= {("", name): Kind.ANY for name in self.names}
        changed = True
        while changed:
            changed = False
            for key, function, value in self._flows:
                known = self._holds.get(key)
                if known is Kind.ANY:
                    continue
                found = value if isinstance(value, Kind) else self._kind(value, function)
                joined = _joined(known, found)
                if joined is not known and joined is not None:
                    self._holds[key] = joined
                    changed = True

    def kind(self, node: Expression, function: str) -> Kind:
        """Return what kind of value an expression of a function has."""
        return self._kind(node, function) or Kind.COUNT

    def holds(self, function: str, name: str) -> Kind:
        """Return what kind of values a variable, an array's elements, or a function gives.

        Args:
            function: The function that names it; `"return"` for what a function returns.
            name: The variable, the array or the function.
        """
        key = (function, name) if function == "return" else self.key(function, name)
        return self._holds.get(key, Kind.COUNT)

    def _kind(self, node: Expression, function: str) -> Kind | None:
        """Return a kind as far as it is known yet; None is nothing but `UNSET`."""
        fixed = _FIXED.get(node.__class__)
        if fixed is not None:
            return fixed
        match node:
            case syntax.Name(name):
                key = self.key(function, name)
                return Kind.NUMBER if key == ("", "NF") else self._holds.get(key)
            case syntax.Element(syntax.Name(name)):
                key = self.key(function, name)
                return Kind.ANY if key[0] else self._holds.get(key)
            case syntax.Group(inside):
                return self._kind(inside, function)
            case syntax.Conditional(_, yes, no):
                return _either(self._kind(yes, function), self._kind(no, function))
            case syntax.Assignment(operator, _, value):
                return Kind.NUMBER if operator else _kept(self._kind(value, function))
            case syntax.Call(name, _, _, is_indirect):
                return Kind.ANY if is_indirect else self._holds.get(("return", name))
            case _:
                return _named_kind(node)


def _named_kind(node: Expression) -> Kind:
    """Return the kind of what only its name, or its form, tells."""
    match node:
        case syntax.Builtin(name):
            return Kind.TEXT if name in _TEXTS else Kind.NUMBER
        case syntax.Unary(operator):
            return Kind.BOOLEAN if operator == "!" else Kind.NUMBER
        case syntax.Regex(_, is_value):
            return Kind.TEXT if is_value else Kind.BOOLEAN
        case _:
            return Kind.ANY


def _kept(kind: Kind | None) -> Kind | None:
    """Return the kind of what an assignment gives: what the variable now holds."""
    if kind is Kind.BOOLEAN:
        return Kind.NUMBER
    return Kind.ANY if kind is Kind.FIELD else kind


def _joined(known: Kind | None, found: Kind | None) -> Kind | None:
    """Return what a variable can hold, given what it could and what it is given."""
    if found is None:
        return known
    kept = Kind.COUNT if found in NUMERIC else Kind.FIELD if found is Kind.FIELD else Kind.ANY
    return kept if known in (None, kept) else Kind.ANY


def _either(one: Kind | None, other: Kind | None) -> Kind | None:
    if one is None and other is None:
        return None
    if Kind.FIELD not in (one, other):  # what is unset is at home among texts from outside
        one, other = one or Kind.COUNT, other or Kind.COUNT
    else:
        one, other = one or Kind.FIELD, other or Kind.FIELD
    if one is other and one is not Kind.BOOLEAN:
        return one
    if {one, other} <= {Kind.NUMBER, Kind.BOOLEAN}:
        return Kind.NUMBER
    return Kind.COUNT if {one, other} <= NUMERIC else Kind.ANY
