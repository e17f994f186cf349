"""QuickJS in the jail: JavaScript as of ES2023, without modules."""

from __future__ import annotations

from importlib.util import find_spec

from vshell.script.engine import Unavailability
from vshell.script.engines.jailed import JAVASCRIPT_EXTENSION, JailedEngine

__all__ = ["JavaScriptEngine"]


class JavaScriptEngine(JailedEngine):
    """Runs JavaScript, confined by Linux."""

    _name = "quickjs"
    _language = "javascript"
    _module = "vshell.script.guest.javascript"

    def available(self) -> Unavailability | None:
        if find_spec(JAVASCRIPT_EXTENSION) is None:
            return Unavailability(
                "the engine for JavaScript is not installed", "pip install 'vshell[script]'"
            )
        return super().available()
