"""Accounts, logins, links and tokens in a real database."""

import asyncio
import unicodedata
from collections.abc import Awaitable
from datetime import timedelta
from typing import Literal

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from argon2 import PasswordHasher
from sqlalchemy import Connection, text

from controller.people.password import Passwords
from controller.people.people import People
from rooms.errors import InvalidValue
from rooms.page import Wanted
from rooms.people.account import Account, Role, RoleAt
from rooms.people.errors import (
    AccountExists,
    InvalidAccount,
    LastAdministrator,
    LinkNotFound,
    LoginFailed,
    OnlyRole,
    TokenNotFound,
    TooManyAttempts,
    WeakPassword,
)
from rooms.people.rights import OWNER
from rooms.school import OrganisationId
from store import Store
from testing.clock import Clock
from tests.controller.people.conftest import SCHOOL
from tests.controller.stage import UNRECORDABLE

HOUR = timedelta(hours=1)
PASSWORD = "correct horse battery"


async def lan(people: People) -> Account:
    return await people.accounts.add(
        name="lan",
        display_name="Cô Lan",
        password=PASSWORD,
        roles=[RoleAt(Role.TEACHER, SCHOOL)],
        rights=OWNER,
        actor="test",
    )


async def test_migrations_lead_to_the_tables_that_the_code_describes(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), store.metadata))

    async with store.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_account_is_found_as_it_was_added(people: People) -> None:
    account = await lan(people)
    assert await people.accounts.get(account.id) == account
    assert await people.accounts.named("lan") == account
    assert (await people.accounts.page(Wanted(limit=9), {SCHOOL})).items == (account,)
    assert (await people.accounts.page(Wanted(limit=9), {OrganisationId("kim-dong")})).items == ()
    with pytest.raises(AccountExists):
        await lan(people)


@pytest.mark.parametrize(
    "wrong", [{"name": "Lan"}, {"name": "a b"}, {"name": ""}, {"display_name": " "}, {"password": "short"}]
)
async def test_account_that_cannot_be_is_refused(people: People, wrong: dict[str, str]) -> None:
    given = {"name": "lan", "display_name": "Cô Lan", "password": PASSWORD} | wrong
    with pytest.raises(InvalidAccount):
        await people.accounts.add(
            name=given["name"],
            display_name=given["display_name"],
            password=given["password"],
            roles=[],
            rights=OWNER,
            actor="test",
        )


async def test_granted_role_is_recorded(people: People, store: Store) -> None:
    account = await lan(people)
    role = RoleAt(Role.TECHNICIAN, SCHOOL)
    granted = await people.accounts.grant(account.id, role, rights=OWNER, actor="admin")
    assert set(granted.roles) == {*account.roles, role}
    assert await people.accounts.grant(account.id, role, rights=OWNER, actor="admin") == granted
    newest = (await store.audit.list(object_kind="account", object_id=account.id))[0]
    assert (newest.actor, newest.action) == ("admin", "account.grant")


async def test_new_password_ends_logins(people: People) -> None:
    account = await lan(people)
    login = await people.logins.log_in(" LAN ", PASSWORD, address="10.0.0.1")
    assert await people.logins.find(login.secret) == login.identity
    await people.accounts.set_password(account.id, "another horse, battery", rights=OWNER, actor="admin")
    assert await people.logins.find(login.secret) is None
    with pytest.raises(LoginFailed):
        await people.logins.log_in("lan", PASSWORD, address="10.0.0.1")
    await people.logins.log_in("lan", "another horse, battery", address="10.0.0.1")


async def test_account_without_a_password_cannot_log_in_by_one(people: People) -> None:
    await people.accounts.add(name="demo", display_name="Demo", roles=[], rights=OWNER, actor="test")
    with pytest.raises(LoginFailed):
        await people.logins.log_in("demo", "nobody has this password", address="10.0.0.1")


async def test_neither_secrets_nor_passwords_are_stored(people: People, store: Store) -> None:
    account = await lan(people)
    login = await people.logins.log_in("lan", PASSWORD, address="10.0.0.1")
    link = await people.links.login_secret(account.id, life=HOUR)
    _, token = await people.tokens.create(account.id, "timetable", rights=OWNER, actor="test")
    stored = ""
    async with store.reading() as db:
        for table in ("accounts", "logins", "links", "tokens", "audit"):
            stored += repr((await db.execute(text(f"SELECT * FROM {table}"))).all())
    assert account.id in stored
    assert [secret for secret in (PASSWORD, login.secret, link, token) if secret in stored] == []


async def test_of_many_who_use_a_link_at_once_one_gets_in(people: People) -> None:
    account = await lan(people)
    secret = await people.links.login_secret(account.id, life=HOUR)
    tries = [people.links.log_in(secret, address="10.0.0.1") for _ in range(8)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(each).__name__ for each in results) == ["LinkNotFound"] * 7 + ["NewLogin"]


async def test_what_cannot_be_recorded_has_not_happened(people: People, store: Store) -> None:
    account = await lan(people)
    login = await people.logins.log_in("lan", PASSWORD, address="10.0.0.1")
    _, token = await people.tokens.create(account.id, "test", rights=OWNER, actor="test")
    recorded, role = await store.audit.list(), RoleAt(Role.TECHNICIAN, SCHOOL)
    accounts, actor = people.accounts, UNRECORDABLE
    tries: list[Awaitable[object]] = [
        accounts.add(name="hoa", display_name="Hoa", roles=[role], rights=OWNER, actor=actor),
        accounts.grant(account.id, role, rights=OWNER, actor=actor),
        accounts.edit(account.id, display_name="Another", language=None, rights=OWNER, actor=actor),
        accounts.suspend(account.id, rights=OWNER, actor=actor),
        accounts.set_operator(account.id, True, actor=actor),
        accounts.set_password(account.id, "another horse, battery", rights=OWNER, actor=actor),
        people.links.reset(account.id, rights=OWNER, actor=actor),
        people.logins.end_all(account.id, rights=OWNER, actor=actor),
        people.tokens.create(account.id, "another", rights=OWNER, actor=actor),
        people.tokens.revoke((await people.tokens.list(account.id))[0].id, account.id, rights=OWNER, actor=actor),
    ]
    for each in tries:
        with pytest.raises(InvalidValue):
            await each
    assert await accounts.all() == (account,)
    assert [await people.logins.find(login.secret) is None, await people.tokens.find(token) is None] == [False] * 2
    assert (len(await people.tokens.list(account.id)), await store.audit.list()) == (1, recorded)
    assert await people.accounts.checked("lan", PASSWORD) == account


async def test_a_login_ends_the_one_that_it_replaces_or_neither_happens(people: People, store: Store) -> None:
    account = await lan(people)
    old = await people.logins.log_in("lan", PASSWORD, address="10.0.0.1")
    await people.logins.end_all(account.id, rights=OWNER, actor="test")  # `account` was read before
    kept = await people.logins.log_in("lan", PASSWORD, address="10.0.0.1")
    with pytest.raises(LoginFailed):
        await people.logins.begin(account, address="10.0.0.1", replacing=kept.secret)
    assert await people.logins.find(old.secret) is None
    assert await people.logins.find(kept.secret) == kept.identity
    new = await people.logins.begin(kept.identity.account, address="10.0.0.1", replacing=kept.secret)
    assert [await people.logins.find(each.secret) for each in (kept, new)] == [None, new.identity]


async def test_links_cannot_be_guessed_for_long(people: People) -> None:
    for number in range(100):
        with pytest.raises(LinkNotFound):
            await people.links.log_in(f"guess {number}", address=f"2001:db8::{number:x}")  # one customer's /64
    with pytest.raises(TooManyAttempts):
        await people.links.log_in("guess", address="2001:db8::ffff")


async def test_token_ends_when_revoked_or_expired(people: People, clock: Clock) -> None:
    account = await lan(people)
    token_id, lasting = await people.tokens.create(account.id, "timetable", rights=OWNER, actor="test")
    _, short = await people.tokens.create(account.id, "test", rights=OWNER, actor="test", life=HOUR)
    clock.move(HOUR)
    assert await people.tokens.find(short) is None
    found = await people.tokens.find(lasting)
    assert found is not None
    assert (found.account, found.client, found.csrf) == (account, token_id, None)
    assert [each.id for each in await people.tokens.list(account.id)] == [token_id]
    other = await people.accounts.add(name="hoa", display_name="Hoa", roles=[], rights=OWNER, actor="test")
    with pytest.raises(TokenNotFound):
        await people.tokens.revoke(token_id, other.id, rights=OWNER, actor="test")
    await people.tokens.revoke(token_id, account.id, rights=OWNER, actor="test")
    with pytest.raises(TokenNotFound):
        await people.tokens.revoke(token_id, account.id, rights=OWNER, actor="test")
    assert await people.tokens.find(lasting) is None


async def test_expired_logins_are_swept_out(people: People, store: Store, clock: Clock) -> None:
    await lan(people)
    for _ in range(5):
        await people.logins.log_in("lan", PASSWORD, address="10.0.0.1")
    clock.move(timedelta(hours=13))
    await people.logins.log_in("lan", PASSWORD, address="10.0.0.1")
    async with store.reading() as db:
        assert await db.scalar(text("SELECT count(*) FROM logins")) == 1


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
async def test_password_is_the_same_from_every_keyboard(
    people: People, form: Literal["NFC", "NFD", "NFKC", "NFKD"]
) -> None:
    await people.accounts.add(
        name="lan", display_name="Lan", password="mật khẩu rất dài", roles=[], rights=OWNER, actor="test"
    )
    typed = unicodedata.normalize(form, "mật khẩu rất dài")
    await people.logins.log_in("lan", typed, address="10.0.0.1")


async def test_password_stored_as_it_was_typed_is_still_right_and_is_renewed(people: People, store: Store) -> None:
    """As before passwords were normalized."""
    account, typed = await lan(people), unicodedata.normalize("NFD", "mật khẩu rất dài")
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(typed)
    async with store.writing() as db:
        await db.execute(text("UPDATE accounts SET password_hash = :old"), {"old": old})
    with pytest.raises(LoginFailed):
        await people.logins.log_in("lan", unicodedata.normalize("NFC", typed), address="10.0.0.1")
    await people.logins.log_in("lan", typed, address="10.0.0.1")
    login = await people.logins.log_in("lan", unicodedata.normalize("NFC", typed), address="10.0.0.1")
    assert login.identity.account == account


@pytest.mark.parametrize(
    ("password", "reason"),
    [("short", "too_short"), ("aaaaaaaaaaaa", "easy"), ("lan.co-lan.lan", "like_name"), (" " * 12, "easy")],
)
async def test_weak_password_is_refused_with_its_reason(people: People, password: str, reason: str) -> None:
    account = await lan(people)
    with pytest.raises(WeakPassword) as refused:
        await people.accounts.set_password(account.id, password, rights=OWNER, actor="test")
    assert refused.value.reason == reason


async def test_password_hash_is_argon2id_and_renewed_when_outdated(people: People, store: Store, clock: Clock) -> None:
    await lan(people)
    stronger = Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    await People.over(store, clock=clock, passwords=stronger).logins.log_in("lan", PASSWORD, address="10.0.0.1")
    async with store.reading() as db:
        stored = str(await db.scalar(text("SELECT password_hash FROM accounts")))
    assert stored.startswith("$argon2id$v=19$m=8,t=2,p=1$")


async def test_of_two_administrators_who_take_each_others_role_one_stays(people: People) -> None:
    role, other = RoleAt(Role.ADMINISTRATOR, SCHOOL), RoleAt(Role.TEACHER, SCHOOL)
    pair = [
        await people.accounts.add(name=name, display_name=name, roles=[role, other], rights=OWNER, actor="test")
        for name in ("one", "two")
    ]
    taking = [people.accounts.take(each.id, role, rights=OWNER, actor="test") for each in pair]
    results = await asyncio.gather(*taking, return_exceptions=True)
    assert sorted(type(each).__name__ for each in results) == ["Account", "LastAdministrator"]
    assert await people.accounts.any_administrator()


async def test_only_role_and_last_administrator_are_kept(people: People) -> None:
    administrator = RoleAt(Role.ADMINISTRATOR, SCHOOL)
    one = await people.accounts.add(name="one", display_name="One", roles=[administrator], rights=OWNER, actor="test")
    with pytest.raises(OnlyRole):
        await people.accounts.take(one.id, administrator, rights=OWNER, actor="test")
    with pytest.raises(LastAdministrator):
        await people.accounts.suspend(one.id, rights=OWNER, actor="test")
    await people.accounts.suspend(one.id, rights=OWNER, actor="test", forced=True)
    assert not await people.accounts.any_administrator()
    assert await people.links.setup_secret() is not None
    await people.accounts.resume(one.id, rights=OWNER, actor="test")
    assert await people.accounts.any_administrator()


async def test_login_and_token_have_a_holder_while_they_let_somebody_in(people: People, clock: Clock) -> None:
    account = await lan(people)
    login = (await people.logins.log_in("lan", PASSWORD, address="10.0.0.1")).identity
    token_id, _ = await people.tokens.create(account.id, "test", rights=OWNER, actor="test", life=HOUR)
    assert [await people.accounts.holder(each) for each in (login.client, token_id, "none")] == [account, account, None]
    await people.accounts.suspend(account.id, rights=OWNER, actor="test")
    assert [await people.accounts.holder(each) for each in (login.client, token_id)] == [None, None]
    await people.accounts.resume(account.id, rights=OWNER, actor="test")
    assert await people.accounts.holder(login.client) is None  # ended; the token slept
    assert (await people.accounts.holder(token_id)) is not None
    clock.move(HOUR)
    assert await people.accounts.holder(token_id) is None
