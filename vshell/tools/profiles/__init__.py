"""The tool profiles, one module each: what a harness calls its tools, and how they speak."""
