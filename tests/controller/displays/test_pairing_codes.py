"""Pairing codes."""

from datetime import UTC, datetime, timedelta

import pytest

from controller.displays.errors import PairingCodeNotFound, PairingFull
from controller.displays.pairing_codes import (
    ALPHABET,
    CODE_LIFE,
    WAITING_LIMIT_PER_ADDRESS,
    PairingCodes,
)
from rooms.errors import StoreUnavailable
from rooms.people.errors import TooManyAttempts
from testing.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 3, 2, tzinfo=UTC))


def ignore(secret: str) -> None:
    pass


def test_code_is_worth_one_pairing(clock: Clock) -> None:
    pairing = PairingCodes(clock=clock)
    told: list[str] = []
    offer = pairing.offer(told.append, "10.0.0.1")
    assert (len(offer.code), set(offer.code) <= set(ALPHABET)) == (6, True)
    with pairing.taken(f" {offer.code.lower()} ", by="a") as tell:
        tell("secret")
    assert (told, len(pairing)) == (["secret"], 0)
    with pytest.raises(PairingCodeNotFound), pairing.taken(offer.code, by="a"):
        pass


def test_code_of_a_pairing_that_failed_stays_good_and_is_worth_one_at_a_time(clock: Clock) -> None:
    pairing = PairingCodes(clock=clock)
    offer = pairing.offer(ignore, "10.0.0.1")

    def fail() -> None:
        with pairing.taken(offer.code, by="a"):
            with pytest.raises(PairingCodeNotFound), pairing.taken(offer.code, by="b"):
                pass
            raise StoreUnavailable("disk full")

    with pytest.raises(StoreUnavailable):
        fail()
    with pairing.taken(offer.code, by="a"):
        pass
    assert len(pairing) == 0


def test_code_expires(clock: Clock) -> None:
    pairing = PairingCodes(clock=clock)
    offer = pairing.offer(ignore, "10.0.0.1")
    clock.move(CODE_LIFE)
    assert pairing.left(offer) == timedelta(0)
    with pytest.raises(PairingCodeNotFound), pairing.taken(offer.code, by="a"):
        pass


def test_withdrawn_code_is_gone(clock: Clock) -> None:
    pairing = PairingCodes(clock=clock)
    offer = pairing.offer(ignore, "10.0.0.1")
    pairing.withdraw(offer)
    pairing.withdraw(offer)
    with pytest.raises(PairingCodeNotFound), pairing.taken(offer.code, by="a"):
        pass


def test_no_two_displays_show_one_code(clock: Clock) -> None:
    letters = iter("AAAAAAAAAAAABBBBBB")
    pairing = PairingCodes(clock=clock, choice=lambda _: next(letters))
    assert [pairing.offer(ignore, "10.0.0.1").code for _ in range(2)] == ["AAAAAA", "BBBBBB"]


def test_guessing_is_throttled_per_account(clock: Clock) -> None:
    pairing = PairingCodes(clock=clock)
    for _ in range(10):
        with pytest.raises(PairingCodeNotFound), pairing.taken("AAAAAA", by="a"):
            pass
    with pytest.raises(TooManyAttempts), pairing.taken("AAAAAA", by="a"):
        pass
    with pytest.raises(PairingCodeNotFound), pairing.taken("AAAAAA", by="b"):
        pass


def test_one_address_cannot_take_all_codes(clock: Clock) -> None:
    pairing = PairingCodes(clock=clock)
    for _ in range(WAITING_LIMIT_PER_ADDRESS):
        pairing.offer(ignore, "10.0.0.1")
    with pytest.raises(PairingFull):
        pairing.offer(ignore, "10.0.0.1")
    pairing.offer(ignore, "10.0.0.2")
    clock.move(CODE_LIFE)
    pairing.offer(ignore, "10.0.0.1")
    assert len(pairing) == 1
