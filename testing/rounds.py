"""How often a test repeats what it tries: a few times in `make test`, and often in `make trials`."""

import os

TRIALS = bool(os.environ.get("NHIPCAU_TRIALS"))  # set by `make trials`


def rounds(few: int, many: int) -> int:
    """`few` in the suite that everybody runs, `many` in a trial."""
    return many if TRIALS else few
