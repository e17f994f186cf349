"""`python` and `node` in a shell: guests of the script engines, answered by the shell's worker.

Neither the shell nor the scripts know of each other; this package knows both. `starting`
runs in the host, `serving` in the worker, which is confined itself (`vshell.jail.worker`).
"""
