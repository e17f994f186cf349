"""The engines: each runs scripts in a confinement of its own kind (`script/engine.py`)."""

from __future__ import annotations
