"""Which engine forwards: the compiled one where `nhipcau-fast` is installed, else the pure one.

`NHIPCAU_PURE=1` in the environment: the pure one in any case.
"""

import os
from collections.abc import Mapping

from webrtc.forwarding.forward import Forwarder

engines: Mapping[str, type[Forwarder]] = {"pure": Forwarder}
missing = ""  # why there is no fast one
try:
    from webrtc.forwarding.fast import FastForwarder
except ImportError as error:
    missing = str(error)
else:
    engines = {**engines, "fast": FastForwarder}

engine = "fast" if "fast" in engines and not os.environ.get("NHIPCAU_PURE") else "pure"


def make_forwarder() -> Forwarder:
    return engines[engine]()
