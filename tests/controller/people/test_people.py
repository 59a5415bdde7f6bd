"""Accounts, logins, links and tokens in a real database."""

import asyncio
import unicodedata
from datetime import timedelta
from typing import Literal

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from argon2 import PasswordHasher
from sqlalchemy import Connection, text

from controller.people.password import Passwords
from controller.people.people import People
from rooms.page import Wanted
from rooms.people.account import Account, AccountId, Role, RoleAt
from rooms.people.errors import (
    AccountExists,
    InvalidAccount,
    LastAdministrator,
    LinkNotFound,
    LoginFailed,
    OnlyRole,
    SetupDone,
    TokenNotFound,
    TooManyAttempts,
    WeakPassword,
)
from rooms.school import Organisation, OrganisationId, OrganisationKind
from store import Store
from testing.clock import Clock
from tests.controller.people.conftest import SCHOOL

HOUR = timedelta(hours=1)
PASSWORD = "correct horse battery"
NEW_SCHOOL = Organisation(id=OrganisationId("kim-dong"), kind=OrganisationKind.SCHOOL, name="Kim Đồng")


async def lan(people: People) -> Account:
    return await people.accounts.add(
        name="lan", display_name="Cô Lan", password=PASSWORD, roles=[RoleAt(Role.TEACHER, SCHOOL)], actor="test"
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
    assert (await people.accounts.page(Wanted(limit=9), {NEW_SCHOOL.id})).items == ()
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
            actor="test",
        )


async def test_granted_role_is_recorded(people: People, store: Store) -> None:
    account = await lan(people)
    role = RoleAt(Role.TECHNICIAN, SCHOOL)
    granted = await people.accounts.grant(account.id, role, actor="admin")
    assert set(granted.roles) == {*account.roles, role}
    assert await people.accounts.grant(account.id, role, actor="admin") == granted
    newest = (await store.audit.list(object_kind="account", object_id=account.id))[0]
    assert (newest.actor, newest.action) == ("admin", "account.grant")


async def test_new_password_ends_logins(people: People) -> None:
    account = await lan(people)
    login = await people.logins.log_in(" LAN ", PASSWORD, address="10.0.0.1")
    assert await people.logins.find(login.secret) == login.identity
    await people.accounts.set_password(account.id, "another horse, battery", actor="admin", given=False)
    assert await people.logins.find(login.secret) is None
    with pytest.raises(LoginFailed):
        await people.logins.log_in("lan", PASSWORD, address="10.0.0.1")
    await people.logins.log_in("lan", "another horse, battery", address="10.0.0.1")


async def test_account_without_a_password_cannot_log_in_by_one(people: People) -> None:
    await people.accounts.add(name="demo", display_name="Demo", roles=[], actor="test")
    with pytest.raises(LoginFailed):
        await people.logins.log_in("demo", "nobody has this password", address="10.0.0.1")


async def test_neither_secrets_nor_passwords_are_stored(people: People, store: Store) -> None:
    account = await lan(people)
    login = await people.logins.log_in("lan", PASSWORD, address="10.0.0.1")
    link = await people.links.login_secret(account.id, life=HOUR)
    _, token = await people.tokens.create(account.id, "timetable", actor="test")
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


async def test_setup_link_makes_one_administrator_once(people: People) -> None:
    older = await people.links.setup_secret()
    secret = await people.links.setup_secret()
    assert older is not None
    assert secret is not None

    async def set_up(secret: str, name: str) -> Account:
        return await people.links.set_up(
            secret, NEW_SCHOOL, name=name, display_name="Hiệu trưởng", password=PASSWORD, address="10.0.0.1"
        )

    with pytest.raises(LinkNotFound):
        await set_up(older, "first")
    with pytest.raises(InvalidAccount):
        await set_up(secret, "No Such Name")  # the link is still good, and the school is there already
    account = await set_up(secret, "first")
    assert account.roles == (RoleAt(Role.ADMINISTRATOR, NEW_SCHOOL.id),)
    with pytest.raises((LinkNotFound, SetupDone)):
        await set_up(secret, "second")
    assert await people.links.setup_secret() is None


async def test_links_cannot_be_guessed_for_long(people: People) -> None:
    for number in range(100):
        with pytest.raises(LinkNotFound):
            await people.links.log_in(f"guess {number}", address=f"2001:db8::{number:x}")  # one customer's /64
    with pytest.raises(TooManyAttempts):
        await people.links.log_in("guess", address="2001:db8::ffff")


async def test_token_ends_when_revoked_or_expired(people: People, clock: Clock) -> None:
    account = await lan(people)
    token_id, lasting = await people.tokens.create(account.id, "timetable", actor="test")
    _, short = await people.tokens.create(account.id, "test", actor="test", life=HOUR)
    clock.move(HOUR)
    assert await people.tokens.find(short) is None
    found = await people.tokens.find(lasting)
    assert found is not None
    assert (found.account, found.client, found.csrf) == (account, token_id, None)
    assert [each.id for each in await people.tokens.list(account.id)] == [token_id]
    with pytest.raises(TokenNotFound):
        await people.tokens.revoke(token_id, AccountId("another"), actor="test")
    await people.tokens.revoke(token_id, account.id, actor="test")
    with pytest.raises(TokenNotFound):
        await people.tokens.revoke(token_id, account.id, actor="test")
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
    await people.accounts.add(name="lan", display_name="Lan", password="mật khẩu rất dài", roles=[], actor="test")
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
        await people.accounts.set_password(account.id, password, actor="test", given=False)
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
        await people.accounts.add(name=name, display_name=name, roles=[role, other], actor="test")
        for name in ("one", "two")
    ]
    taking = [people.accounts.take(each.id, role, actor="test") for each in pair]
    results = await asyncio.gather(*taking, return_exceptions=True)
    assert sorted(type(each).__name__ for each in results) == ["Account", "LastAdministrator"]
    assert await people.accounts.any_administrator()


async def test_only_role_and_last_administrator_are_kept(people: People) -> None:
    administrator = RoleAt(Role.ADMINISTRATOR, SCHOOL)
    one = await people.accounts.add(name="one", display_name="One", roles=[administrator], actor="test")
    with pytest.raises(OnlyRole):
        await people.accounts.take(one.id, administrator, actor="test")
    with pytest.raises(LastAdministrator):
        await people.accounts.suspend(one.id, actor="test")
    await people.accounts.suspend(one.id, actor="test", forced=True)
    assert not await people.accounts.any_administrator()
    assert await people.links.setup_secret() is not None
    await people.accounts.resume(one.id, actor="test")
    assert await people.accounts.any_administrator()


async def test_login_and_token_have_a_holder_while_they_let_somebody_in(people: People, clock: Clock) -> None:
    account = await lan(people)
    login = (await people.logins.log_in("lan", PASSWORD, address="10.0.0.1")).identity
    token_id, _ = await people.tokens.create(account.id, "test", actor="test", life=HOUR)
    assert [await people.accounts.holder(each) for each in (login.client, token_id, "none")] == [account, account, None]
    await people.accounts.suspend(account.id, actor="test")
    assert [await people.accounts.holder(each) for each in (login.client, token_id)] == [None, None]
    await people.accounts.resume(account.id, actor="test")
    assert await people.accounts.holder(login.client) is None  # ended; the token slept
    assert (await people.accounts.holder(token_id)) is not None
    clock.move(HOUR)
    assert await people.accounts.holder(token_id) is None
