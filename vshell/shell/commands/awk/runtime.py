"""A running awk program: its variables, its record, and what it has open.

`Runtime.namespace` is where the compiled program finds everything: helpers by their names,
variables as `v_NAME`, arrays as `a_NAME`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from vshell.shell.command import Invocation
from vshell.shell.commands.awk import library, ordering, values
from vshell.shell.commands.awk.errors import AwkFatal, ProgramExit
from vshell.shell.commands.awk.facts import SPECIAL
from vshell.shell.commands.awk.formats import NumberTexts, compile_format
from vshell.shell.commands.awk.inputs import MainInput
from vshell.shell.commands.awk.patterns import Pattern
from vshell.shell.commands.awk.reading import Reader, Separation
from vshell.shell.commands.awk.record import (
    Record,
    split_blanks,
    split_contents,
)
from vshell.shell.commands.awk.separators import Separators
from vshell.shell.commands.awk.streams import Streams
from vshell.shell.commands.awk.values import UNSET, Array, from_outside, number, truth

__all__ = ["DEFAULTS", "Needs", "Runtime"]

DEFAULTS: Final[Mapping[str, str | float]] = {
    "ARGC": 0.0, "CONVFMT": "%.6g", "ERRNO": "", "FIELDWIDTHS": "", "FILENAME": "", "FNR": 0.0,
    "FPAT": "[^ \t\n]+", "FS": " ", "IGNORECASE": 0.0, "NR": 0.0, "OFMT": "%.6g", "OFS": " ",
    "ORS": "\n", "RLENGTH": -1.0, "RS": "\n", "RSTART": 0.0, "RT": "", "SUBSEP": "\x1c",
    "BINMODE": 0.0, "LINT": 0.0, "TEXTDOMAIN": "messages", "ARGIND": 0.0,
}  # fmt: skip
"""The variables of the language, and what they are at first."""


class Needs:
    """What a program needs of its record and input, found before it runs.

    Attributes:
        padding: How many fields it takes by number.
        most: How many fields it can ever want; -1 when that is not known.
        ends: Whether it uses RT.
        orders: Whether it sets the order of `for (key in array)`.
    """

    __slots__ = ("ends", "most", "orders", "padding")

    def __init__(self, *, padding: int, most: int, ends: bool, orders: bool) -> None:
        self.padding = padding
        self.most = most
        self.ends = ends
        self.orders = orders


class Runtime:
    """What a program runs in.

    Args:
        call: The command's run.
        needs: See `Needs`.
    """

    def __init__(self, call: Invocation, needs: Needs) -> None:
        self.call = call
        self.record = Record(needs.padding, needs.most)
        self._needs = needs
        self.separators = Separators(self.record, self._end_records)
        self.streams = Streams(call, self.separation)
        self.input = MainInput(call, self, notes_ends=needs.ends)
        self.begin_file: Callable[[], None] | None = None
        self.end_file: Callable[[], None] | None = None
        self.numbers = NumberTexts("%.6g")
        self.shown_numbers = self.numbers
        self._taken = ""
        self._random = random.Random(0)  # noqa: S311 - nobody promises that it is secret
        self._seed = 0.0
        self.exit_status = 0
        self.namespace: dict[str, Any] = {f"v_{name}": value for name, value in DEFAULTS.items()}
        self._fill()

    def _fill(self) -> None:
        names = self.namespace
        names |= {
            "a_ARGV": Array(),
            "a_ENVIRON": Array(
                (name, from_outside(value)) for name, value in self.call.environment.items()
            ),
            "a_PROCINFO": Array(version="5.2.1", strftime="%a %b %e %H:%M:%S %Z %Y"),
            "UNSET": UNSET,
            "Array": Array,
            "record": self.record,
            "split": self.record.split,
            "whole": self.record.whole,
            "get_field": self.record.get,
            "count": self.record.count,
            "last_field": self.record.last,
            "put_at": self.record.put_at,
            "PlainText": values.PlainText,
            "numbers": self.numbers,
            "shown_numbers": self.shown_numbers,
            "write": self.streams.stdout.write,
            "skip_file": self.input.skip_file,
            "close": self.streams.close,
            "flush": self.streams.flush,
        }
        for name in values.__all__:
            names.setdefault(name, getattr(values, name))
        for function in (
            self.text, self.shown, self.set_special, self.put_field, self.set_record, self.getline,
            self.getline_record, self.taken, self.dynamic, self.matches, self.less, self.keys,
            self.same, self.less_or_same, self.substitute, self.exit, self.match, self.split_into,
            self.write_to, self.format, self.system, self.rand, self.srand, self.patsplit_into,
            self.gensub, self.asort, self.asorti, self.strftime, self.mktime, self.systime,
            self.function_named,
        ):  # fmt: skip
            names[function.__name__] = function
        names |= library.FUNCTIONS

    # Values.

    def text(self, value: object) -> str:
        """Return a value as a text."""
        kind = value.__class__
        if kind is str:
            return value  # type: ignore[return-value]
        if kind is float:
            return self.numbers[value]  # type: ignore[index]
        if isinstance(value, str):
            return str(value)
        raise AwkFatal("attempt to use array in a scalar context")

    def shown(self, value: object) -> str:
        """Return a value as `print` prints it."""
        if value.__class__ is float:
            return self.shown_numbers[value]
        return self.text(value)

    def _pair(self, left: object, right: object) -> tuple[Any, Any]:
        """Return two values as they are compared: as numbers, or as texts."""
        first, second = values.as_number(left), values.as_number(right)
        if first is not None and second is not None:
            return first, second
        one, other = self.text(left), self.text(right)
        return (one.lower(), other.lower()) if self.separators.ignore_case else (one, other)

    def less(self, left: object, right: object) -> bool:
        one, other = self._pair(left, right)
        return bool(one < other)

    def less_or_same(self, left: object, right: object) -> bool:
        one, other = self._pair(left, right)
        return bool(one <= other)

    def same(self, left: object, right: object) -> bool:
        one, other = self._pair(left, right)
        return bool(one == other)

    # Variables of the language.

    def set_special(self, name: str, value: object) -> object:
        """Set a variable that means something to the interpreter; return the value."""
        if name == "NF":
            self.record.resize(value)
            return value
        if name in ("FS", "FPAT", "FIELDWIDTHS"):
            self.record.settle()
        self.namespace[f"v_{name}"] = value
        if name in ("FS", "FPAT", "FIELDWIDTHS", "RS"):
            self.separators.set(name, self.text(value))
        elif name == "OFS":
            self.record.output_separator = self.text(value)
        elif name in ("CONVFMT", "OFMT"):
            self._set_number_texts()
        elif name == "IGNORECASE":
            records = self.text(self.namespace["v_RS"])
            self.separators.fold_case(records, ignore_case=truth(value))
        return value

    def assign(self, name: str, value: str) -> None:
        """Give a variable a value from the command line."""
        found = from_outside(value)
        if name in SPECIAL:
            self.set_special(name, found)
        elif f"f_{name}" in self.namespace:
            raise AwkFatal(f"cannot use function name `{name}' as variable name")
        elif f"a_{name}" in self.namespace:
            raise AwkFatal(f"cannot use array `{name}' in a scalar context")
        elif name in ("NR", "FNR"):
            self.namespace[f"v_{name}"] = number(found)
        else:
            self.namespace[f"v_{name}"] = found

    def _set_number_texts(self) -> None:
        conversion = self.text(self.namespace["v_CONVFMT"])
        output = self.text(self.namespace["v_OFMT"])
        self.numbers = NumberTexts(conversion)
        self.shown_numbers = self.numbers if output == conversion else NumberTexts(output)
        self.namespace["numbers"] = self.numbers
        self.namespace["shown_numbers"] = self.shown_numbers

    def separation(self) -> Separation:
        """Return what ends a record."""
        return self.separators.separation

    def _end_records(self, separation: Separation) -> None:
        self.input.separate(separation)
        self.streams.separate(separation)

    # Patterns.

    def dynamic(self, source: str) -> Pattern:
        """Return a pattern that a text is used as."""
        return self.separators.pattern(source)

    def matches(self, text: str, source: str) -> bool:
        """Tell whether a text matches a pattern that is another text."""
        return bool(self.separators.pattern(source).test(text))

    def match(self, text: str, pattern: Pattern, groups: Array | None = None) -> float:
        """Find a pattern; set RSTART and RLENGTH, and the groups' texts and places."""
        found = pattern.search(text)
        names = self.namespace
        if groups is not None:
            groups.clear()
        if found is None:
            names["v_RSTART"], names["v_RLENGTH"] = 0.0, -1.0
            return 0.0
        start, end = found.span()
        names["v_RSTART"], names["v_RLENGTH"] = start + 1.0, float(end - start)
        if groups is not None:
            library.fill_groups(groups, found, pattern.groups, self.text(names["v_SUBSEP"]))
        return start + 1.0

    def substitute(self, pattern: Pattern, replacement: str, text: str, *, every: bool) -> float:
        """Replace matches; keep the new text for `taken`; return how many there were."""
        self._taken, found = library.substitute(pattern, replacement, text, every=every)
        return float(found)

    def gensub(self, pattern: Pattern, replacement: str, how: object, text: str) -> str:
        """Return a text with matches replaced: all of them (`g`), or the one of a number."""
        which = self.text(how)
        if which[:1] in ("g", "G"):
            return library.general_substitute(pattern, replacement, text, 0)
        wanted = values.text_number(which)
        number_of = int(wanted) if 1 <= wanted < 2**31 else 1
        return library.general_substitute(pattern, replacement, text, number_of)

    def taken(self) -> str:
        """Return what `substitute` or `getline` has last made or read."""
        return self._taken

    def split_into(
        self,
        text: str,
        array: Array,
        how: Pattern | str,
        raw: bool,
        separators: Array | None = None,
    ) -> float:
        """Fill an array with the pieces of a text; return how many there are.

        Args:
            text: The text.
            array: Where the pieces go.
            how: What is between them.
            raw: Whether the program looks at each piece itself whether it is a number.
            separators: Where what was between them goes.
        """
        if how == " " and separators is None:
            return library.fill(array, split_blanks(text), raw)
        pieces, between = library.splits(
            text, how, self.separators, separators=separators is not None
        )
        if separators is not None:
            library.keep_separators(separators, between, blanks=how == " ")
        return library.fill(array, pieces, raw)

    def patsplit_into(
        self,
        text: str,
        array: Array,
        how: Pattern | str | None,
        raw: bool,
        between: Array | None = None,
    ) -> float:
        """Fill an array with what matches a pattern (FPAT, when there is none)."""
        if how is None:
            how = self.text(self.namespace["v_FPAT"])
        pattern = self.dynamic(how) if isinstance(how, str) else how
        pieces, rest = split_contents(text, pattern) if text else ([], [])
        if between is not None:
            between.clear()
            between.update((str(place), part) for place, part in enumerate(rest))
        return library.fill(array, pieces, raw)

    # Fields and records.

    def put_field(self, index: object, value: object) -> object:
        """Set a field; return the value."""
        kind = value.__class__
        self.record.put(index, values.PlainText(value) if kind is str else self.text(value))
        return value

    def set_record(self, text: str) -> str:
        """Set `$0`."""
        self.record.set(text)
        return text

    def _source(self, kind: str, name: str) -> Reader | None:
        if not name:
            raise AwkFatal("expression for redirection has null string value")
        return self.streams.reader(kind, name)

    def getline(self, kind: str, name: str = "") -> float:
        """Read a record for `taken`; return 1, 0 at the end, -1 when it cannot be read."""
        names = self.namespace
        if kind == "input":
            text = self.input.next()
        else:
            reader = self._source(kind, name)
            if reader is None:
                return -1.0
            text = reader.next()
            if self._needs.ends:
                names["v_RT"] = reader.ended_by
        if text is None:
            return 0.0
        if kind == "input":
            names["v_NR"] = number(names["v_NR"]) + 1.0
            names["v_FNR"] = number(names["v_FNR"]) + 1.0
        self._taken = text
        return 1.0

    def getline_record(self, kind: str, name: str = "") -> float:
        """Read a record into `$0`; return as `getline`."""
        status = self.getline(kind, name)
        if status == 1.0:
            self.record.set(self._taken)
        return status

    def operands(self) -> Iterator[str]:
        """Yield what ARGV has, as it is when each is come to."""
        names = self.namespace
        place = 1
        while place < number(names["v_ARGC"]):
            found = names["a_ARGV"].get(str(place))
            names["v_ARGIND"] = float(place)
            place += 1
            if found is not None:
                yield self.text(found)

    def start_file(self, name: str, problem: str) -> None:
        """Note which file is read."""
        names = self.namespace
        names["v_FILENAME"] = from_outside(name)
        names["v_FNR"] = 0.0
        names["v_ERRNO"] = problem

    def note_end(self, ended_by: str) -> None:
        """Note what ended a record."""
        self.namespace["v_RT"] = ended_by

    # Writing.

    def write_to(self, redirection: str, name: str, text: str) -> None:
        """Print a text to a file or a command."""
        target = self.streams.target(redirection, name)
        target.write(text)

    def format(self, form: str, *arguments: object) -> str:
        """Return `sprintf` of a format that is known only now."""
        return compile_format(form).apply(arguments, self.text)

    def system(self, line: str) -> float:
        """Run a command line; return its exit code."""
        return float(self.streams.commands.print(line))

    # Everything else.

    def keys(self, array: Array) -> list[str]:
        """Return the keys of an array in the order in which a loop takes them."""
        if self._needs.orders:
            order = self.namespace["a_PROCINFO"].get("sorted_in", UNSET)
            if order is not UNSET:
                return ordering.ordered_keys(array, self.text(order), self)
        return ordering.loop_keys(array)

    def function_named(self, name: str) -> Callable[..., Any]:
        """Return a function of the program.

        Raises:
            AwkFatal: There is none.
        """
        found = self.namespace.get(f"f_{name}")
        if found is None:
            raise AwkFatal(f"function called indirectly through `{name}' does not exist")
        return found  # type: ignore[no-any-return]

    def asort(self, array: Array, into: Array | None = None, how: str = "") -> float:
        """Give an array's values new keys from 1, in their order."""
        return ordering.sort_values(array, into, how or "@val_type_asc", self)

    def asorti(self, array: Array, into: Array | None = None, how: str = "") -> float:
        """Make an array's keys its values, in their order."""
        return ordering.sort_keys(array, into, how or "@ind_str_asc", self)

    def rand(self) -> float:
        return self._random.random()

    def srand(self, seed: object = None) -> float:
        """Begin a new series of random numbers; return the seed of the one before."""
        before = self._seed
        self._seed = self.systime() if seed is None else number(seed)
        self._random = random.Random(self._seed)  # noqa: S311 - as above
        return before

    def systime(self) -> float:
        return float(self.call.context.files.store.now() // 10**9)

    def strftime(self, form: object = None, time: object = None, utc: object = 0.0) -> str:
        pattern = self.text(self.namespace["a_PROCINFO"]["strftime"] if form is None else form)
        seconds = self.systime() if time is None else number(time)
        environment = {} if truth(utc) else self.call.environment
        return library.strftime(pattern, seconds, environment)

    def mktime(self, text: str, utc: object = 0.0) -> float:
        return library.mktime(text, {} if truth(utc) else self.call.environment)

    def exit(self, status: object = None) -> None:
        """End the program: the rules for the end follow, unless they are running."""
        if status is not None:
            code = number(status)
            self.exit_status = int(code) & 0xFF if code - code == 0.0 else 0
        raise ProgramExit
