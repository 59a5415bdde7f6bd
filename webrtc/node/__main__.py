"""A bridge node as a process: `python -m webrtc.node --help`."""

import asyncio
import gc
import os
import sys

from webrtc.node.arguments import read_arguments
from webrtc.node.server import run_node

GC_THRESHOLDS = 10_000, 20, 20  # connections leave cycles behind, packets leave none: collect seldom


def main() -> None:
    settings = read_arguments(sys.argv[1:], dict(os.environ))
    gc.freeze()  # what was imported stays: to look through it would stop all packets for 50 ms
    gc.set_threshold(*GC_THRESHOLDS)
    asyncio.run(run_node(settings))


if __name__ == "__main__":
    main()
