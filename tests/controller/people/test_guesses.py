"""What a wrong password costs, and whom."""

from datetime import UTC, datetime, timedelta

import pytest

from controller.people.guesses import AT_ONCE_PER_NETWORK, MOST_SLOWED, SLOWED, Guesses
from controller.people.people import People
from rooms.people.errors import LoginFailed, LoginsBusy, TooManyAttempts
from rooms.people.rights import OWNER
from testing.clock import Clock
from tests.controller.people.test_people import PASSWORD, lan

SECOND = timedelta(seconds=1)
NOTHING = timedelta(0)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 3, 2, tzinfo=UTC))


@pytest.fixture
def guesses(clock: Clock) -> Guesses:
    return Guesses(clock=clock)


def wrong(guesses: Guesses, name: str, network: str, browser: str | None = None) -> bool:
    """Guess wrongly; whether the password was looked at."""
    try:
        with guesses.attempt(name, network, browser):
            raise LoginFailed("wrong")
    except LoginFailed:
        return True
    except TooManyAttempts:
        return False


def waits(guesses: Guesses, name: str, network: str, browser: str | None = None) -> timedelta:
    """How long a right password waits."""
    with guesses.attempt(name, network, browser) as wait:
        return wait


def test_owner_gets_in_at_once_while_a_stranger_guesses_for_an_hour(guesses: Guesses, clock: Clock) -> None:
    looked_at = 0
    for attempt in range(2 * 3600):
        looked_at += wrong(guesses, "lan", "198.51.100.7")
        clock.move(SECOND / 2)
        if attempt % 20 == 0:
            assert waits(guesses, "lan", "203.0.113.5") == NOTHING
            assert waits(guesses, "lan", "198.51.100.7", "browser") == NOTHING
    assert looked_at <= 5 + 3600 / 30 + 1


def test_many_wrong_names_slow_their_network_and_lock_nobody_out(guesses: Guesses) -> None:
    for number in range(22):
        assert wrong(guesses, f"name{number}", "203.0.113.5")
    assert waits(guesses, "lan", "203.0.113.5") == 3 * 2 * SECOND
    for number in range(100):
        wrong(guesses, f"more{number}", "203.0.113.5")
    assert MOST_SLOWED <= waits(guesses, "lan", "203.0.113.5") <= MOST_SLOWED + 2 * SECOND
    assert waits(guesses, "lan", "203.0.113.5", "browser") == NOTHING
    assert waits(guesses, "lan", "198.51.100.7") == NOTHING


def test_many_networks_slow_a_name_and_lock_nobody_out(guesses: Guesses) -> None:
    for number in range(60):
        wrong(guesses, "lan", f"198.51.100.{number}")
    assert guesses.guessed("lan")
    assert waits(guesses, "lan", "203.0.113.5") == SLOWED
    assert waits(guesses, "lan", "203.0.113.5", "browser") == NOTHING
    assert waits(guesses, "minh", "203.0.113.5") == NOTHING


def test_known_browser_that_guesses_is_throttled_itself(guesses: Guesses) -> None:
    assert [wrong(guesses, "lan", "203.0.113.5", "browser") for _ in range(6)] == [True] * 5 + [False]


def test_right_password_forgives_and_a_busy_server_costs_nothing(guesses: Guesses) -> None:
    for _ in range(20):
        with pytest.raises(LoginsBusy), guesses.attempt("lan", "203.0.113.5", None):
            raise LoginsBusy(SECOND)
    for _ in range(4):
        wrong(guesses, "lan", "203.0.113.5")
    waits(guesses, "lan", "203.0.113.5")
    assert [wrong(guesses, "lan", "203.0.113.5") for _ in range(5)] == [True] * 5


def test_one_network_has_so_many_attempts_at_once(guesses: Guesses) -> None:
    held = [guesses.attempt(f"name{number}", "203.0.113.5", None) for number in range(AT_ONCE_PER_NETWORK)]
    for each in held:
        each.__enter__()
    with pytest.raises(LoginsBusy), guesses.attempt("lan", "203.0.113.5", None):
        pass
    assert waits(guesses, "lan", "203.0.113.5", "browser") == NOTHING
    assert waits(guesses, "lan", "198.51.100.7") == NOTHING
    for each in held:
        each.__exit__(None, None, None)
    assert waits(guesses, "lan", "203.0.113.5") == NOTHING


async def test_owner_is_in_at_the_first_attempt_while_somebody_elsewhere_guesses(people: People, clock: Clock) -> None:
    """S5: a wrong password each 0.5 s, from elsewhere; a pupil, too, tries at the owner's own school."""
    await lan(people)

    async def guess(address: str) -> str:
        try:
            await people.logins.log_in("lan", "wrong", address=address)
        except (LoginFailed, TooManyAttempts) as error:
            return type(error).__name__
        return "in"

    known = await people.logins.log_in("lan", PASSWORD, address="203.0.113.5")
    outcomes = set()
    for second in range(60):
        outcomes |= {await guess("198.51.100.7"), await guess("203.0.113.5")}
        clock.move(SECOND)
        if second % 10 == 0:
            await people.logins.log_in("lan", PASSWORD, address=f"203.0.113.{100 + second}")
            await people.logins.log_in("lan", PASSWORD, address="203.0.113.5", browser=known.browser)
    assert outcomes == {"LoginFailed", "TooManyAttempts"}


async def test_a_browser_is_known_by_what_we_signed_alone(people: People, clock: Clock) -> None:
    """And for the names that were logged in there: what is changed or is another's is nobody's."""
    account = await lan(people)
    minh = await people.accounts.add(
        name="minh", display_name="Minh", password=PASSWORD, roles=[], rights=OWNER, actor="test"
    )
    known = await people.logins.log_in("lan", PASSWORD, address="203.0.113.5")
    both = await people.logins.begin(minh, address="203.0.113.5", browser=known.browser)
    for _ in range(5):
        with pytest.raises(LoginFailed):
            await people.logins.log_in("lan", "wrong", address="203.0.113.5")
    first, tags, signature = known.browser.split(".")
    for bad in (None, "", "..", "a.b.c", f"{first}.{tags}.{signature[:-1]}x", f"x{known.browser}", "é.é.é", "x" * 5000):
        with pytest.raises(TooManyAttempts):
            await people.logins.log_in("lan", PASSWORD, address="203.0.113.5", browser=bad)
    for good in (known.browser, both.browser):
        again = await people.logins.log_in("lan", PASSWORD, address="203.0.113.5", browser=good)
        assert again.identity.account == account
    assert account.name not in known.browser
