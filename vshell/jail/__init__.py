"""Confinement by the operating system: what keeps code that is not trusted away from the host.

Two uses. A **guest** is a process that runs one script and has nothing but one socket
(`Zygote`). A **worker** is a process of vshell's own that parses hostile input and keeps
one directory (`confine_worker`). `probe` tells what this platform offers. All of it is
Linux's; elsewhere `probe` says so and the others raise `UnavailableError`.

    kernel         the system calls that Python lacks
    system_calls   their numbers, and which of them a guest may make, with the reason
    filters        seccomp programs made from these
    namespaces     an empty machine: no network, no files, no other processes
    landlock       files by directory, without namespaces
    worker         confinement of a worker
    probing        what is possible here
    channel        frames of JSON between host and guest
    zygote         the warm process that forks guests; host side
    zygote_process its own side, started without any package of the environment
"""

from __future__ import annotations
