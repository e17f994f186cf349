"""Expressions of awk that change something, and calls, as expressions of Python."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from vshell.shell.commands.awk import syntax
from vshell.shell.commands.awk.compile_values import ValueCompiler
from vshell.shell.commands.awk.errors import AwkFatal
from vshell.shell.commands.awk.facts import NUMERIC, Kind
from vshell.shell.commands.awk.formats import MAKERS, compile_format
from vshell.shell.commands.awk.quoting import bound, call, constant, joined, name, quote
from vshell.shell.commands.awk.syntax import Expression
from vshell.shell.commands.awk.values import numeric

__all__ = ["ActionCompiler", "Place", "is_pure"]

_SIMPLE: Final[dict[str, tuple[str, str]]] = {
    "and": ("bits_and", "n*"),
    "atan2": ("atan2", "nn"),
    "compl": ("complement", "n"),
    "cos": ("cos", "n"),
    "exp": ("exp", "n"),
    "index": ("index", "tt"),
    "int": ("truncate", "n"),
    "isarray": ("is_array", "x"),
    "log": ("logarithm", "n"),
    "lshift": ("left_shift", "nn"),
    "mktime": ("mktime", "tv"),
    "or": ("bits_or", "n*"),
    "rand": ("rand", ""),
    "rshift": ("right_shift", "nn"),
    "sin": ("sin", "n"),
    "sqrt": ("sqrt", "n"),
    "srand": ("srand", "v"),
    "strftime": ("strftime", "vvv"),
    "strtonum": ("string_number", "v"),
    "substr": ("substr", "tnn"),
    "system": ("system", "t"),
    "systime": ("systime", ""),
    "tolower": ("lower", "t"),
    "toupper": ("upper", "t"),
    "typeof": ("type_of", "x"),
    "xor": ("bits_xor", "n*"),
    "close": ("close", "tt"),
    "fflush": ("flush", "t"),
    "asort": ("asort", "aat"),
    "asorti": ("asorti", "aat"),
}
"""The helper of a function, and what its arguments are made: numbers, texts, values, arrays, or
what they are, `x`; a star repeats."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is kept: how it is read, and how it is written."""

    read: ast.expr
    write: Callable[[ast.expr], ast.expr]


def is_pure(node: Expression) -> bool:
    """Tell whether an expression changes nothing, so that it does not matter when it is found.

    The right side of `x += y` comes before the left one.
    """
    return not any(
        isinstance(each, syntax.Assignment | syntax.Increment | syntax.Call | syntax.Getline)
        or (isinstance(each, syntax.Builtin) and each.name in ("sub", "gsub", "split", "match"))
        for each in syntax.walk(node)
    )


class ActionCompiler(ValueCompiler):
    """Compiles all expressions."""

    # Places.

    def place(self, target: Expression, *, reads_first: bool) -> Place:
        """Return how a target is read and written, if its subscripts are evaluated once.

        Args:
            target: A variable, an element or a field.
            reads_first: Whether reading comes before writing; else reading happens while
                the value to be written is found.
        """
        match target:
            case syntax.Group(inside):
                return self.place(inside, reads_first=reads_first)
            case syntax.Name():
                return Place(self.raw(target), lambda value: self._set_name(target, value))
            case syntax.Element(array, subscripts):
                first, again = self._once(self.key(subscripts))
                early, late = (first, again) if reads_first else (again, first)
                holder, holder_again = self.array(array), self.array(array)
                if isinstance(array, syntax.Element):
                    one, two = self._once(holder)
                    holder, holder_again = (one, two) if reads_first else (two, one)
                return Place(
                    quote("ARRAY[KEY]", ARRAY=holder, KEY=early),
                    lambda value: quote(
                        "ARRAY.put(KEY, VALUE)", ARRAY=holder_again, KEY=late, VALUE=value
                    ),
                )
            case syntax.Field(index):
                first, again = self._once(self.raw(index))
                early, late = (first, again) if reads_first else (again, first)
                return Place(call("get_field", early), lambda value: call("put_field", late, value))
            case _:
                raise AwkFatal("a value that is no variable cannot be changed")

    def _once(self, tree: ast.expr) -> tuple[ast.expr, ast.expr]:
        """Return a tree that keeps its value, and one that has it again."""
        if isinstance(tree, ast.Constant):
            return tree, tree
        kept = self._temporary()
        return bound(kept, tree), name(kept)

    def _set_name(self, target: syntax.Name, value: ast.expr) -> ast.expr:
        if self._facts.is_array(self._function, target.name):
            raise AwkFatal(f"attempt to use array `{target.name}' in a scalar context")
        if self._is_special(target.name):
            return call("set_special", constant(target.name), value)
        return bound(self._identifier(target.name), value)

    def _is_numeric(self, target: Expression) -> bool:
        return self.kind(target) in NUMERIC

    def _read_number(self, target: Expression, read: ast.expr) -> ast.expr:
        if self._is_numeric(target):
            return read
        return call("text_number" if self.kind(target) is Kind.FIELD else "number", read)

    # Assigning.

    def _assignment(self, node: syntax.Assignment) -> ast.expr:
        place = self.place(node.target, reads_first=False)
        if not node.operator:
            return place.write(self.value(node.value, self._kept(node.target)))
        value = self._operand(node.operator, node.value)
        read = self._read_number(node.target, place.read)
        if node.operator in "%^" and self._is_numeric(node.target):
            read = quote("+READ", READ=read)
        if not is_pure(node.value):
            first, again = self._once(value)
            written = place.write(self.calculation(node.operator, read, again))
            return quote("(FIRST, WRITTEN)[1]", FIRST=first, WRITTEN=written)
        return place.write(self.calculation(node.operator, read, value))

    def stored_field(self, place: int, value: Expression) -> ast.expr:
        """Set a field whose number is known; a text that it is given stays one."""
        text, kind = self.text(value), self.kind(value)
        if kind is Kind.ANY:
            return call("put_field", constant(float(place)), self.value(value))
        if kind is Kind.TEXT and not (
            isinstance(value, syntax.Text) and numeric(value.value) is None
        ):
            text = call("PlainText", text)
        return call("put_at", ast.Constant(place), text)

    def _kept(self, target: Expression) -> Kind:
        """Return what kind of values a target holds."""
        if isinstance(target, syntax.Name):
            return self._facts.holds(self._function, target.name)
        if isinstance(target, syntax.Element) and isinstance(target.array, syntax.Name):
            key = self._facts.key(self._function, target.array.name)
            return Kind.ANY if key[0] else self._facts.holds("", key[1])
        return Kind.ANY

    def changed(self, target: Expression, value: ast.expr) -> ast.expr:
        """Return what gives a target a text from outside."""
        if isinstance(target, syntax.Field):
            if target.index == syntax.Number(0):
                return call("set_record", value)
            return self.place(target, reads_first=False).write(value)
        if self._kept(target) is not Kind.FIELD:
            value = call("from_outside", value)
        return self.place(target, reads_first=False).write(value)

    def _increment(self, node: syntax.Increment) -> ast.expr:
        step = constant(float(node.step))
        place = self.place(node.target, reads_first=not node.is_prefix)
        number = self._read_number(node.target, place.read)
        if node.is_prefix:
            return place.write(quote("NUMBER + STEP", NUMBER=number, STEP=step))
        if self._is_numeric(node.target):
            number = quote("+NUMBER", NUMBER=number)
        before, again = self._once(number)
        return quote(
            "(BEFORE, AFTER)[0]",
            BEFORE=before,
            AFTER=place.write(quote("NUMBER + STEP", NUMBER=again, STEP=step)),
        )

    # Reading.

    def _getline(self, node: syntax.Getline) -> ast.expr:
        arguments = [constant(node.kind)]
        if node.source is not None:
            arguments.append(self.text(node.source))
        if node.target is None:
            return call("getline_record", *arguments)
        status, again = self._once(call("getline", *arguments))
        return quote(
            "(SET, 1.0)[1] if STATUS == 1.0 else AGAIN",
            SET=self.changed(node.target, quote("taken()")),
            STATUS=status,
            AGAIN=again,
        )

    # Calling.

    def _call(self, node: syntax.Call) -> ast.expr:
        if node.is_indirect:
            function = quote("function_named(NAME)", NAME=self.text(syntax.Name(node.name)))
            given = [self._any_argument(argument) for argument in node.arguments]
            return ast.Call(function, given, [])
        function_of = self._program.functions[node.name]
        arguments: list[ast.expr] = []
        for place, parameter in enumerate(function_of.parameters):
            takes_array = (node.name, parameter) in self._facts.arrays
            if place >= len(node.arguments):
                arguments.append(quote("Array()") if takes_array else name("UNSET"))
            elif takes_array:
                arguments.append(self.array(node.arguments[place]))
            else:
                kept = self._facts.holds(node.name, parameter)
                arguments.append(self.value(node.arguments[place], kept))
        return call(f"f_{node.name}", *arguments)

    def _any_argument(self, node: Expression) -> ast.expr:
        is_name = isinstance(node, syntax.Name)
        if is_name and self._facts.is_array(self._function, node.name):  # type: ignore[union-attr]
            return self.array(node)
        return self.value(node)

    def _builtin(self, node: syntax.Builtin) -> ast.expr:
        special = self._BUILTINS.get(node.name)
        if special is not None:
            return special(self, node.arguments)
        helper, forms = _SIMPLE[node.name]
        if forms.endswith("*"):
            forms = forms[0] * len(node.arguments)
        given = [
            self._formed(form, argument)
            for form, argument in zip(forms, node.arguments, strict=False)
        ]
        return call(helper, *given)

    def _formed(self, form: str, node: Expression) -> ast.expr:
        if form == "n":
            return self.strict_number(node)
        if form == "t":
            return self.text(node)
        if form == "a":
            return self.array(node)
        return self._any_argument(node) if form == "x" else self.value(node)

    def _length(self, arguments: tuple[Expression, ...]) -> ast.expr:
        if not arguments:
            return quote("float(len(TEXT))", TEXT=self.record_text())
        (argument,) = arguments
        if isinstance(argument, syntax.Name) and self._facts.is_array(
            self._function, argument.name
        ):
            return quote("float(len(ARRAY))", ARRAY=self.array(argument))
        if isinstance(argument, syntax.Element):
            first, again = self._once(self.raw(argument))
            size = quote("size(VALUE)", VALUE=first)
            found, found_again = self._once(size)
            return quote(
                "float(len(text(AGAIN))) if FOUND is None else FOUND_AGAIN",
                AGAIN=again,
                FOUND=found,
                FOUND_AGAIN=found_again,
            )
        return quote("float(len(TEXT))", TEXT=self.text(argument))

    def _dcgettext(self, arguments: tuple[Expression, ...]) -> ast.expr:
        return self.text(arguments[0])

    def _match_call(self, arguments: tuple[Expression, ...]) -> ast.expr:
        groups = [self.array(arguments[2])] if len(arguments) == 3 else []
        return call("match", self.text(arguments[0]), self.pattern(arguments[1]), *groups)

    def _split(self, arguments: tuple[Expression, ...]) -> ast.expr:
        separators = [self.array(arguments[3])] if len(arguments) == 4 else []
        how = self._separator(arguments[2]) if len(arguments) > 2 else self.special_text("FS")
        raw = ast.Constant(self._kept(syntax.Element(arguments[1], ())) is Kind.FIELD)  # type: ignore[arg-type]
        text, array = self.text(arguments[0]), self.array(arguments[1])
        return call("split_into", text, array, how, raw, *separators)

    def _separator(self, node: Expression) -> ast.expr:
        return self.pattern(node) if isinstance(node, syntax.Regex) else self.text(node)

    def _patsplit(self, arguments: tuple[Expression, ...]) -> ast.expr:
        between = [self.array(arguments[3])] if len(arguments) == 4 else []
        how = self._separator(arguments[2]) if len(arguments) > 2 else constant(None)
        raw = ast.Constant(self._kept(syntax.Element(arguments[1], ())) is Kind.FIELD)  # type: ignore[arg-type]
        text, array = self.text(arguments[0]), self.array(arguments[1])
        return call("patsplit_into", text, array, how, raw, *between)

    def _sub(self, arguments: tuple[Expression, ...]) -> ast.expr:
        return self._substitution(arguments, every=False)

    def _gsub(self, arguments: tuple[Expression, ...]) -> ast.expr:
        return self._substitution(arguments, every=True)

    def _substitution(self, arguments: tuple[Expression, ...], *, every: bool) -> ast.expr:
        pattern, replacement = self.pattern(arguments[0]), self.text(arguments[1])
        target = arguments[2] if len(arguments) == 3 else syntax.Field(syntax.Number(0))
        while isinstance(target, syntax.Group):
            target = target.inside
        written: ast.expr | None = None
        if isinstance(target, syntax.Target):
            place = self.place(target, reads_first=True)
            text = place.read if self.kind(target) is Kind.FIELD else call("text", place.read)
            new = quote("taken()")
            written = place.write(new)
            if target == syntax.Field(syntax.Number(0)):
                text, written = self.record_text(), call("set_record", new)
        else:
            text = self.text(target)
        count, again = self._once(
            quote(
                "substitute(PATTERN, REPLACEMENT, TEXT, every=EVERY)",
                PATTERN=pattern,
                REPLACEMENT=replacement,
                TEXT=text,
                EVERY=ast.Constant(every),
            )
        )
        if written is None:
            return count
        return quote(
            "(WRITTEN, AGAIN)[1] if COUNT else 0.0", WRITTEN=written, AGAIN=again, COUNT=count
        )

    def _gensub(self, arguments: tuple[Expression, ...]) -> ast.expr:
        target = arguments[3] if len(arguments) == 4 else syntax.Field(syntax.Number(0))
        return call(
            "gensub",
            self.pattern(arguments[0]),
            self.text(arguments[1]),
            self.value(arguments[2]),
            self.text(target),
        )

    def _sprintf(self, arguments: tuple[Expression, ...]) -> ast.expr:
        return self.formatted(arguments)

    def formatted(self, arguments: tuple[Expression, ...]) -> ast.expr:
        """Return the tree of `sprintf`."""
        form, *rest = arguments
        while isinstance(form, syntax.Group):
            form = form.inside
        if not isinstance(form, syntax.Text):
            return call("format", self.text(form), *map(self._any_argument, rest))
        compiled = compile_format(form.value)
        if compiled.literal is not None and not rest:
            return constant(compiled.literal)
        in_order = [index for index, _ in compiled.takes] == list(range(len(rest)))
        if not in_order:
            return call("format", constant(form.value), *map(self._any_argument, rest))
        if all(what == "text" for _, what in compiled.takes) and compiled.is_plain:
            pieces = compiled.pieces
            parts = [constant(pieces[0])]
            for piece, argument in zip(pieces[1:], rest, strict=True):
                parts += (self.text(argument), constant(piece))
            return joined(parts)
        made = [
            self._made(what, argument)
            for (_, what), argument in zip(compiled.takes, rest, strict=True)
        ]
        return ast.Call(self._keep("k", f"%{form.value}", lambda: compiled), made, [])

    def _made(self, what: str, argument: Expression) -> ast.expr:
        if what == "text":
            return self.text(argument)
        if what == "number":
            return self.strict_number(argument)
        maker = self._keep("k", f"make {what}", lambda: MAKERS[what])
        return ast.Call(maker, [self.value(argument)], [])

    _BUILTINS: Final = {
        "dcgettext": _dcgettext,
        "gensub": _gensub,
        "gsub": _gsub,
        "length": _length,
        "match": _match_call,
        "patsplit": _patsplit,
        "split": _split,
        "sprintf": _sprintf,
        "sub": _sub,
    }
    METHODS: ClassVar = ValueCompiler.METHODS | {
        syntax.Assignment: _assignment,
        syntax.Increment: _increment,
        syntax.Getline: _getline,
        syntax.Call: _call,
        syntax.Builtin: _builtin,
    }
