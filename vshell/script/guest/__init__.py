"""What runs inside the jail. Only the zygote imports these modules.

They use the standard library, and of vshell `errors` and `script.values` alone. Nothing
here defends against the script that it runs: the script may take it all apart, and is
still in the jail. The host believes nothing that comes from here.
"""

from __future__ import annotations
