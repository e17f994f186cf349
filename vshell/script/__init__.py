"""Sandboxed scripts: a model's code runs against `state` and nothing else."""
