"""`nhipcau account …` and `nhipcau token …`: what somebody at the shell can give and take back.

They work on the database, so they work while no controller runs; one that runs here is told and acts at once.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from controller.config.model import Config
from controller.operator.commands import aligned, operation
from controller.operator.errors import ControllerAway, OperatorRefused
from controller.people.people import People
from controller.people.secret import new_password
from rooms.people.account import Account, AccountId, RoleAt, TokenId
from rooms.people.rights import OWNER
from store import open_store

ACCOUNT_HEADINGS = ("NAME", "IN WORDS", "ROLES", "STATE")
TOKEN_HEADINGS = ("TOKEN", "ACCOUNT", "FOR", "CREATED", "EXPIRES")


def operator_name() -> str:
    """For the record."""
    return f"operator {os.environ.get('USER', os.getuid())}"


async def list_accounts(config: Config) -> str:
    """A line for each account."""
    async with _people(config) as people:
        return aligned(ACCOUNT_HEADINGS, [_account_row(each) for each in await people.accounts.all()])


async def reset_password(config: Config, name: str) -> str:
    """A new password for that account, which its owner must then change. Raises `AccountNotFound`."""
    password = new_password()
    async with _changing(config, name) as (people, account):
        await people.accounts.set_password(account.id, password, rights=OWNER, actor=operator_name())
    return password


async def suspend(config: Config, name: str, *, suspended: bool) -> None:
    """Let nobody in by that account, or let the person in again. Raises `AccountNotFound`."""
    async with _changing(config, name) as (people, account):
        if suspended:
            await people.accounts.suspend(account.id, rights=OWNER, actor=operator_name(), forced=True)
        else:
            await people.accounts.resume(account.id, rights=OWNER, actor=operator_name())


async def set_operator(config: Config, name: str, *, on: bool) -> None:
    """Have that account operate what all share, or no longer. Raises `AccountNotFound`."""
    async with _changing(config, name) as (people, account):
        await people.accounts.set_operator(account.id, on, actor=operator_name())


async def set_role(config: Config, name: str, role: RoleAt, *, held: bool) -> None:
    """Give or take a role. Raises `AccountNotFound`, `OrganisationNotFound`, `OnlyRole`, `LastAdministrator`."""
    async with _changing(config, name) as (people, account):
        change = people.accounts.grant if held else people.accounts.take
        await change(account.id, role, rights=OWNER, actor=operator_name())


async def create_token(config: Config, name: str, *, label: str, life: timedelta) -> str:
    """Raises `AccountNotFound`, `InvalidAccount`."""
    async with _people(config) as people:
        account = await people.accounts.named(name)
        _, token = await people.tokens.create(account.id, label, life=life, rights=OWNER, actor=operator_name())
    return token


async def list_tokens(config: Config, name: str | None) -> str:
    """A line for each token, of one account or of all. Raises `AccountNotFound`."""
    async with _people(config) as people:
        accounts = await people.accounts.all() if name is None else [await people.accounts.named(name)]
        rows = [
            (each.id, account.name, each.name, _day(each.created), _day(each.expires))
            for account in accounts
            for each in await people.tokens.list(account.id)
        ]
    return aligned(TOKEN_HEADINGS, rows)


async def revoke_token(config: Config, token_id: TokenId) -> None:
    """Raises `TokenNotFound`."""
    async with _people(config) as people:
        owner = await people.tokens.owner(token_id)
        await people.tokens.revoke(token_id, owner, rights=OWNER, actor=operator_name())
    await _announce(config, owner)


@asynccontextmanager
async def _people(config: Config) -> AsyncIterator[People]:
    async with open_store(config.database.url) as store:
        yield People.over(store, clock=lambda: datetime.now(UTC))


@asynccontextmanager
async def _changing(config: Config, name: str) -> AsyncIterator[tuple[People, Account]]:
    """Announces the change afterwards. Raises `AccountNotFound`."""
    async with _people(config) as people:
        account = await people.accounts.named(name)
        yield people, account
    await _announce(config, account.id)


async def _announce(config: Config, account_id: AccountId) -> None:
    """Have a controller that runs here act at once; one that we cannot ask does within half a minute."""
    with suppress(ControllerAway, OperatorRefused):
        async with operation(config.data_dir) as controller:
            await controller.account_changed(account_id)


def _account_row(account: Account) -> tuple[str, ...]:
    roles = ", ".join(f"{each.role}@{each.organisation_id}" for each in account.roles)
    states = {
        "suspended": account.suspended is not None,
        "operator": account.operator,
        "password given": account.password_given,
    }
    return account.name, account.display_name, roles or "-", ", ".join(each for each, on in states.items() if on)


def _day(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d}"
