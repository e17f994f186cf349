"""Reading the words of `find`: options, starting points, and the expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from vshell.shell.command import Invocation, UsageError
from vshell.shell.commands.find_actions import ACTIONS, print_path
from vshell.shell.commands.find_entry import Found, Run, Test
from vshell.shell.commands.find_tests import TESTS, Arguments
from vshell.shell.messages import quote_typographic

_GLOBAL: Final = {"-maxdepth": 1, "-mindepth": 1, "-depth": 0, "-d": 0, "-mount": 0, "-xdev": 0,
                  "-noleaf": 0, "-ignore_readdir_race": 0, "-noignore_readdir_race": 0}  # fmt: skip
_POSITIONAL: Final = {"-daystart": 0, "-regextype": 1, "-warn": 0, "-nowarn": 0, "-follow": 0}
_OPENS: Final = ("(", "!")
_CLOSES: Final = (")", ",")


@dataclass
class Plan:
    """What was typed.

    Attributes:
        starts: The starting points.
        warnings: What is odd, but no error.
        deletes: Whether things are removed.
        executes: Whether other commands run.
    """

    starts: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    deletes: bool = False
    executes: bool = False


def parse_find(call: Invocation, run: Run) -> Plan:
    """Read the words, and set up the run.

    Raises:
        UsageError: They are no expression.
    """
    words = list(call.operands)
    words = _leading_options(words, run)
    plan = Plan()
    while words and (words[0] in _CLOSES or not _begins_expression(words[0])):
        plan.starts.append(words.pop(0))
    parser = _Parser(words, run, plan)
    run.expression = parser.run()
    plan.starts = plan.starts or ["."]
    return plan


def _leading_options(words: list[str], run: Run) -> list[str]:
    while words:
        word = words[0]
        if word in ("-H", "-L", "-P"):
            run.follow = {"-H": "operands", "-L": "always", "-P": "never"}[word]
        elif word == "-D" and len(words) > 1:
            words.pop(0)
        elif word == "--":
            return words[1:]
        elif not (word.startswith("-O") and word[2:].isdigit()):
            return words
        words.pop(0)
    return words


def _begins_expression(word: str) -> bool:
    return (word.startswith("-") and len(word) > 1) or word in (*_OPENS, *_CLOSES)


class _Parser:
    def __init__(self, words: Sequence[str], run: Run, plan: Plan) -> None:
        self._words = list(words)
        self._place = 0
        self._run = run
        self._plan = plan
        self._arguments = Arguments(run)
        self._has_action = False
        self._first_test: str | None = None
        self._warns = False

    def run(self) -> Test:
        if not self._words:
            return print_path(self._run, "\n")
        test = self._list()
        if self._place < len(self._words):
            word = self._words[self._place]
            if word == ")":
                raise _error("you have too many ')'")
            raise _error(f"paths must precede expression: `{word}'")
        if self._has_action:
            return test
        show = print_path(self._run, "\n")
        return lambda found: test(found) and show(found)

    def _peek(self) -> str | None:
        return self._words[self._place] if self._place < len(self._words) else None

    # The grammar, from the weakest operator to the strongest.

    def _list(self) -> Test:
        test = self._either()
        while self._peek() == ",":
            self._place += 1
            left, right = test, self._either()
            test = _both_of(left, right)
        return test

    def _either(self) -> Test:
        tests = [self._all()]
        while self._peek() in ("-o", "-or"):
            self._place += 1
            if self._peek() is None:
                raise _error(f"expected an expression after '{self._words[self._place - 1]}'")
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else (lambda found: any(test(found) for test in tests))

    def _all(self) -> Test:
        tests = [self._one()]
        while (word := self._peek()) is not None and word not in ("-o", "-or", ",", ")"):
            if word in ("-a", "-and"):
                self._place += 1
                if self._peek() is None:
                    raise _error(f"expected an expression after '{word}'")
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else (lambda found: all(test(found) for test in tests))

    def _one(self) -> Test:
        word = self._peek()
        if word is None:
            raise _error("invalid expression")
        self._place += 1
        if word in ("!", "-not"):
            if self._peek() is None:
                raise _error(f"expected an expression after '{word}'")
            test = self._one()
            return lambda found: not test(found)
        if word == "(":
            return self._group()
        if word in ("-o", "-or", "-a", "-and", ",", ")"):
            raise self._misplaced(word)
        if not _begins_expression(word):
            raise self._stray(word)
        return self._primary(word)

    def _group(self) -> Test:
        if self._peek() == ")":
            raise _error("invalid expression; empty parentheses are not allowed.")
        if self._peek() is None:
            raise _error(
                "invalid expression; expected to find a ')' but didn't see one."
                "  Perhaps you need an extra predicate after '('"
            )
        test = self._list()
        if self._peek() != ")":
            raise _error(
                "invalid expression; I was expecting to find a ')' somewhere but did not see one."
            )
        self._place += 1
        return test

    def _misplaced(self, word: str) -> UsageError:
        if word == ")":
            if self._place == 1:
                return _error("invalid expression; you have too many ')'")
            return _error(
                f"expected an expression between '{self._words[self._place - 2]}' and ')'"
            )
        return _error(
            f"invalid expression; you have used a binary operator '{word}' with nothing before it."
        )

    def _stray(self, word: str) -> UsageError:
        message = f"paths must precede expression: `{word}'"
        before = self._words[self._place - 3] if self._place > 2 else ""
        if before in (
            "-name",
            "-iname",
            "-path",
            "-ipath",
            "-wholename",
            "-lname",
            "-regex",
            "-iregex",
        ):
            return _error(f"{message}\nfind: possible unquoted pattern after predicate `{before}'?")
        return _error(message)

    # Options, tests and actions.

    def _primary(self, word: str) -> Test:
        if word in _GLOBAL:
            return self._global(word)
        if word in _POSITIONAL:
            return self._positional(word)
        self._first_test = self._first_test or word
        if word in ACTIONS:
            return self._action(word)
        if word.startswith("-newer") and len(word) == 8 and word not in TESTS:
            return self._arguments.newer(word[6], word[7], self._argument(word), word)
        entry = TESTS.get(word)
        if entry is None:
            raise _error(f"unknown predicate `{word}'")
        count, make = entry
        if not count:
            return make(self._arguments, "")
        return make(self._arguments, self._argument(word))

    def _argument(self, word: str) -> str:
        value = self._peek()
        if value is None:
            raise _error(f"missing argument to `{word}'")
        self._place += 1
        return value

    def _global(self, word: str) -> Test:
        if self._first_test is not None and self._warns:
            self._plan.warnings.append(
                f"you have specified the global option {word} after the argument"
                f" {self._first_test}, but global options are not positional, i.e., {word} affects"
                " tests specified before it as well as those specified after it.  Please specify"
                " global options before other arguments."
            )
        if word in ("-maxdepth", "-mindepth"):
            value = self._argument(word)
            if not value.isascii() or not value.isdigit():
                raise _error(
                    f"Expected a positive decimal integer argument to {word}, but got"
                    f" {quote_typographic(value)}"
                )
            depth = min(int(value[:9]), 1 << 30)
            if word == "-maxdepth":
                self._run.max_depth = depth
            else:
                self._run.min_depth = depth
        elif word in ("-depth", "-d"):
            self._run.depth_first = True
        return lambda _: True

    def _positional(self, word: str) -> Test:
        if word == "-daystart":
            self._arguments.day_start = True
        elif word == "-regextype":
            self._arguments.set_dialect(self._argument(word))
        elif word in ("-warn", "-nowarn"):
            self._warns = word == "-warn"
        elif word == "-follow":
            self._run.follow = "always"
        return lambda _: True

    def _action(self, word: str) -> Test:
        spec = ACTIONS[word]
        self._has_action |= spec.is_output
        self._plan.deletes |= word == "-delete"
        self._plan.executes |= spec.is_command
        if spec.is_command:
            return spec.make(self._run, self._command(word))
        return spec.make(self._run, [self._argument(word) for _ in range(spec.count)])

    def _command(self, word: str) -> list[str]:
        """Return the words up to the `;` or `+`, with that."""
        begin = self._place
        for place in range(begin, len(self._words)):
            each = self._words[place]
            is_end = each == ";" or (
                each == "+"
                and place > begin
                and self._words[place - 1] == "{}"
                and word[1:3] != "ok"
            )
            if is_end and place > begin:
                self._place = place + 1
                return [word, *self._words[begin : place + 1]]
            if is_end:
                raise _error(f"invalid argument `{each}' to `{word}'")
        raise _error(f"missing argument to `{word}'")


def _both_of(left: Test, right: Test) -> Test:
    def run(found: Found) -> bool:
        left(found)
        return right(found)

    return run


def _error(message: str) -> UsageError:
    return UsageError(message, hint=False)
