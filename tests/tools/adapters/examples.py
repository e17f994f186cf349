"""The examples of docs/harnesses.md, run with the libraries that they are about."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[3] / "docs" / "harnesses.md"


def run_example(section: str, **names: Any) -> dict[str, Any]:
    """Run the first `py` block of a section, and return its names.

    Args:
        section: The section's title.
        names: What the example takes as given: a model, a workspace.
    """
    text = PAGE.read_text()
    below = text[text.index(f"\n## {section}\n") :]
    found = re.search(r"^```py\n(.*?)^```", below, re.MULTILINE | re.DOTALL)
    assert found is not None
    line = text.count("\n", 0, text.index(f"\n## {section}\n")) + below.count(
        "\n", 0, found.start()
    )
    exec(compile("\n" * (line + 1) + found[1], str(PAGE), "exec"), names)
    return names
