"""What can be wrong with a simulated device."""

from enum import StrEnum


class Fault(StrEnum):
    """One fault of one device."""

    NONE = "none"
    SILENT = "silent"  # receives orders, never answers and does nothing; its connection stays
    SLOW = "slow"  # starts on an order only after `Speeds.slow_s`
    REFUSES = "refuses"  # does nothing and says so, where its dialect has words for it
    GARBAGE = "garbage"  # answers every order with bytes that mean nothing
    DIES = "dies"  # at the first order its connection breaks without a word; it stays away until the fault is lifted
