"""Which engine forwards: the compiled one where `nhipcau-fast` is installed, else the pure one.

`NHIPCAU_PURE=1` in the environment: the pure one in any case.
"""

import os
from collections.abc import Mapping

from webrtc.forwarding.engine import PURE, Engine

installed: Mapping[str, Engine] = {PURE.name: PURE}
missing = ""  # why the compiled one is not among them
try:
    from webrtc.forwarding.fast import FAST
except ImportError as error:
    missing = str(error)
else:
    installed = {**installed, FAST.name: FAST}

chosen = installed["pure" if os.environ.get("NHIPCAU_PURE") else [*installed][-1]]
