"""What an awk program consists of, once it is parsed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Literal

# Expressions.


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Regex:
    """`/pattern/`; as a value it is whether the record matches, unless it is `@/pattern/`."""

    pattern: str
    is_value: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Element:
    """`array[subscripts]`; the array is a name, or an element that is an array itself."""

    array: Name | Element
    subscripts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Field:
    index: Expression


@dataclass(frozen=True, slots=True)
class Group:
    """An expression in parentheses."""

    inside: Expression


@dataclass(frozen=True, slots=True)
class Unary:
    operator: Literal["-", "+", "!"]
    operand: Expression


@dataclass(frozen=True, slots=True)
class Arithmetic:
    operator: Literal["+", "-", "*", "/", "%", "^"]
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Comparison:
    operator: Literal["<", "<=", "==", "!=", ">", ">="]
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Match:
    text: Expression
    pattern: Expression
    negated: bool


@dataclass(frozen=True, slots=True)
class Logic:
    """`a && b && c`, or the same with `||`."""

    operator: Literal["&&", "||"]
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Concatenation:
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Conditional:
    condition: Expression
    yes: Expression
    no: Expression


@dataclass(frozen=True, slots=True)
class Membership:
    subscripts: tuple[Expression, ...]
    array: Name | Element


@dataclass(frozen=True, slots=True)
class Assignment:
    """`target = value`, or with an operator `target += value`."""

    operator: Literal["", "+", "-", "*", "/", "%", "^"]
    target: Target
    value: Expression


@dataclass(frozen=True, slots=True)
class Increment:
    target: Target
    step: Literal[1, -1]
    is_prefix: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function of the program; of the one that a variable names, for `@name()`."""

    name: str
    arguments: tuple[Expression, ...]
    position: int
    is_indirect: bool = False


@dataclass(frozen=True, slots=True)
class Builtin:
    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Getline:
    """`getline target`, from the input, a file, a command or a coprocess."""

    kind: Literal["input", "file", "command", "coprocess"]
    source: Expression | None
    target: Target | None


Target = Name | Element | Field
Expression = (
    Number
    | Text
    | Regex
    | Name
    | Element
    | Field
    | Group
    | Unary
    | Arithmetic
    | Comparison
    | Match
    | Logic
    | Concatenation
    | Conditional
    | Membership
    | Assignment
    | Increment
    | Call
    | Builtin
    | Getline
)

# Statements.

Redirection = Literal["", ">", ">>", "|", "|&"]


@dataclass(frozen=True, slots=True)
class Evaluate:
    expression: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Print:
    """`print` or `printf`; the redirection is `>`, `>>`, `|` or `|&`."""

    arguments: tuple[Expression, ...]
    formatted: bool
    redirection: Redirection
    destination: Expression | None
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class If:
    condition: Expression
    yes: Statement
    no: Statement | None
    line: int


@dataclass(frozen=True, slots=True)
class While:
    condition: Expression
    body: Statement
    line: int


@dataclass(frozen=True, slots=True)
class DoWhile:
    body: Statement
    condition: Expression
    line: int


@dataclass(frozen=True, slots=True)
class For:
    begin: Statement | None
    condition: Expression | None
    step: Statement | None
    body: Statement
    line: int


@dataclass(frozen=True, slots=True)
class ForIn:
    target: Name
    array: Name | Element
    body: Statement
    line: int


@dataclass(frozen=True, slots=True)
class Case:
    """A part of a `switch`; without a value it is the default."""

    value: Expression | None
    body: Block


@dataclass(frozen=True, slots=True)
class Switch:
    value: Expression
    cases: tuple[Case, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Jump:
    kind: Literal["break", "continue", "next", "nextfile"]
    line: int


@dataclass(frozen=True, slots=True)
class Exit:
    status: Expression | None
    line: int


@dataclass(frozen=True, slots=True)
class Return:
    value: Expression | None
    line: int


@dataclass(frozen=True, slots=True)
class Delete:
    """`delete array[subscripts]`, or all elements."""

    array: Name | Element
    subscripts: tuple[Expression, ...] | None
    line: int


Statement = (
    Evaluate
    | Print
    | Block
    | If
    | While
    | DoWhile
    | For
    | ForIn
    | Switch
    | Jump
    | Exit
    | Return
    | Delete
)

# Programs.


@dataclass(frozen=True, slots=True)
class Special:
    """The pattern `BEGIN`, `END`, `BEGINFILE` or `ENDFILE`."""

    name: str


@dataclass(frozen=True, slots=True)
class Range:
    first: Expression
    last: Expression


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern and what is done; without a body the record is printed."""

    pattern: Special | Range | Expression | None
    body: Block | None
    line: int


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    parameters: tuple[str, ...]
    body: Block
    position: int


@dataclass(frozen=True, slots=True)
class Program:
    rules: tuple[Rule, ...]
    functions: dict[str, Function]


def walk(node: object) -> Iterator[object]:
    """Yield a node and all below it."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if isinstance(found, tuple):
            waiting.extend(found)
        elif isinstance(found, dict):
            waiting.extend(found.values())
        elif is_dataclass(found):
            yield found
            waiting.extend(getattr(found, field.name) for field in fields(found))
