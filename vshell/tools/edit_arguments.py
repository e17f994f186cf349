"""Lists of edits as models give them: as a list, one alone, beside the path, or as JSON text."""

from __future__ import annotations

import json
from typing import Any


def gathered_edits(given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with one list of `edits`, whatever of these forms they had."""
    edits = given.get("edits")
    if isinstance(edits, str):
        try:
            edits = json.loads(edits)
        except (ValueError, RecursionError):
            return given
    if _is_edit(edits):
        edits = [edits]
    if isinstance(given.get("oldText"), str) and isinstance(given.get("newText"), str):
        single = {"oldText": given["oldText"], "newText": given["newText"]}
        edits = [*(edits if isinstance(edits, list) else []), single]
        given = {name: value for name, value in given.items() if name not in single}
    return given if edits is None else given | {"edits": edits}


def _is_edit(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("oldText"), str)
