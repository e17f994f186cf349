"""Answering calls on the files themselves: each that writes is a transaction of its own."""

from __future__ import annotations

from collections.abc import Mapping

from vshell.script.answering import Answers, kind_of_call, perform
from vshell.script.engine import Call, Guest, Value
from vshell.script.functions import Function
from vshell.script.views import OPERATION, DirectView

__all__ = ["DirectAnswers"]


class DirectAnswers(Answers):
    """Answers calls on a `DirectView`, and tells it what they changed."""

    def __init__(self, view: DirectView, functions: Mapping[str, Function]) -> None:
        super().__init__(view.context, functions)
        self._view = view

    def answer(self, call: Call, guest: Guest, deadline: float) -> Value:  # noqa: ARG002
        if kind_of_call(call, self.functions) != "write":
            return perform(self.state, self.functions, call, deadline)
        context = self._view.context
        with context.changing(OPERATION):
            position = context.files.journal_position()
            value = perform(self.state, self.functions, call, deadline)
            self._view.rows += context.files.changes(position=position)
        return value
