"""People in the database. Each method is one transaction; secrets come in as hashes only."""

import contextlib
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.folding import folded
from rooms.page import Page, Wanted
from rooms.people.account import Account, AccountId, Language, LoginId, LoginView, Role, RoleAt, TokenId, TokenView
from rooms.people.errors import (
    AccountExists,
    AccountNotFound,
    LastAdministrator,
    LoginFailed,
    LoginNotFound,
    OnlyRole,
    TokenNotFound,
)
from rooms.people.login_link import Link, LinkId, LinkKind
from rooms.school import OrganisationId
from store.database import Database
from store.paging import Order, having, read_page
from store.people_tables import AccountRow, KeyRow, LinkRow, LoginRow, RoleRow, TokenRow

_LISTED: Order[AccountRow] = Order((AccountRow.folded, AccountRow.id), lambda row: (row.folded, row.id))


class PeopleStore:
    """Accounts with their roles, logins, links and tokens."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_account(self, account: Account, password_hash: str | None) -> None:
        """Raises `AccountExists`."""
        row = AccountRow(
            id=account.id,
            name=account.name,
            display_name=account.display_name,
            folded=_folded(account),
            language=account.language,
            password_hash=password_hash,
            created_at=account.created,
            operator=account.operator,
            password_given=account.password_given,
            suspended_at=account.suspended,
            generation=account.generation,
            roles=[RoleRow(organisation_id=each.organisation_id, role=each.role) for each in account.roles],
        )
        try:
            async with self._database.writing() as db:
                db.add(row)
        except IntegrityError as error:
            raise AccountExists(f"the name {account.name} is taken") from error

    async def account(self, account_id: AccountId) -> Account:
        """Raises `AccountNotFound`."""
        async with self._database.reading() as db:
            # As it is now, also where this transaction has read it before and changed it since.
            row = await db.get(AccountRow, account_id, populate_existing=True)
            if row is None:
                raise AccountNotFound(f"account {account_id} not found")
            return _account(row)

    async def account_named(self, name: str) -> tuple[Account, str | None] | None:
        """The account and its password's hash."""
        async with self._database.reading() as db:
            row = (await db.scalars(select(AccountRow).where(AccountRow.name == name))).one_or_none()
            return None if row is None else (_account(row), row.password_hash)

    async def page(self, wanted: Wanted, organisation_ids: Collection[OrganisationId] | None) -> Page[Account]:
        """Accounts that hold a role at one of these, at any where None; by their displayed names."""
        here = exists().where(RoleRow.account_id == AccountRow.id)
        if organisation_ids is not None:
            here = here.where(RoleRow.organisation_id.in_(organisation_ids))
        query = select(AccountRow).where(here, having(wanted.words, AccountRow.folded))
        async with self._database.reading() as db:
            return await read_page(db, query, _LISTED, wanted, _account)

    async def accounts_holding(
        self, roles: Collection[Role], organisation_ids: Collection[OrganisationId]
    ) -> dict[OrganisationId, list[Account]]:
        """By organisation, accounts that hold one of these roles just there and are let in, by displayed name."""
        held = and_(RoleRow.account_id == AccountRow.id, RoleRow.role.in_(roles))
        here = select(AccountRow).where(
            exists().where(held, RoleRow.organisation_id.in_(organisation_ids)), AccountRow.suspended_at.is_(None)
        )
        found: dict[OrganisationId, list[Account]] = {each: [] for each in organisation_ids}
        async with self._database.reading() as db:
            accounts = [_account(row) for row in await db.scalars(here.order_by(AccountRow.folded, AccountRow.id))]
        for account in accounts:
            for id in {each.organisation_id for each in account.roles if each.role in roles} & found.keys():
                found[id].append(account)
        return found

    async def accounts_where(
        self, *, names: Collection[str] = (), ids: Collection[AccountId] = ()
    ) -> tuple[Account, ...]:
        """Accounts of these names or ids."""
        async with self._database.reading() as db:
            rows = await db.scalars(select(AccountRow).where(AccountRow.name.in_(names) | AccountRow.id.in_(ids)))
            return tuple(_account(row) for row in rows)

    async def all_accounts(self) -> tuple[Account, ...]:
        """By name; those without a role, too."""
        async with self._database.reading() as db:
            return tuple(_account(row) for row in await db.scalars(select(AccountRow).order_by(AccountRow.name)))

    async def any_administrator(self) -> bool:
        """Whether somebody administers something and is let in."""
        held = exists().where(
            RoleRow.role == Role.ADMINISTRATOR,
            RoleRow.account_id == AccountRow.id,
            AccountRow.suspended_at.is_(None),
        )
        async with self._database.reading() as db:
            return bool(await db.scalar(select(held)))

    async def grant(self, account_id: AccountId, role: RoleAt) -> None:
        """Nothing changes where it is held already. Raises `AccountNotFound`."""
        async with self._database.writing() as db:
            if await db.get(AccountRow, account_id) is None:
                raise AccountNotFound(f"account {account_id} not found")
            await db.merge(RoleRow(account_id=account_id, organisation_id=role.organisation_id, role=role.role))

    async def take(self, account_id: AccountId, role: RoleAt, *, administered_from: Collection[OrganisationId]) -> None:
        """Nothing changes where it is not held.

        `administered_from`: where administrators of that organisation hold their role, the organisation itself and the
        departments above it. Raises `OnlyRole`, `LastAdministrator`.
        """
        async with self._database.writing() as db:
            leaves_administrators = role.role is Role.ADMINISTRATOR
            staying = await _administrators_but(db, account_id, administered_from if leaves_administrators else ())
            held = await db.get(RoleRow, (account_id, role.organisation_id, role.role))
            if held is None:
                return
            held_in_all = await db.scalars(select(RoleRow.role).where(RoleRow.account_id == account_id))
            if len(held_in_all.all()) == 1:
                raise OnlyRole("this is the account's only role: suspend the account instead, or give it another first")
            if leaves_administrators:
                _keep_administrator(staying, administered_from)
            await db.delete(held)

    async def suspend(
        self,
        account_id: AccountId,
        now: datetime,
        *,
        administered_from: Collection[Collection[OrganisationId]] = (),
    ) -> None:
        """Nobody is let in by it from now on; its logins and links end, its tokens sleep. Raises `LastAdministrator`.

        `administered_from`: as for `take`, for each organisation that must not be left without an administrator.
        """
        async with self._database.writing() as db:
            concerned = {id for each in administered_from for id in each}
            staying = await _administrators_but(db, account_id, concerned)
            for each in administered_from:
                _keep_administrator(staying, each)
            suspended = update(AccountRow).where(AccountRow.id == account_id, AccountRow.suspended_at.is_(None))
            await db.execute(suspended.values(suspended_at=now))
            await _end_ways_in(db, account_id)

    async def resume(self, account_id: AccountId) -> None:
        async with self._database.writing() as db:
            await db.execute(update(AccountRow).where(AccountRow.id == account_id).values(suspended_at=None))

    async def edit(self, account: Account) -> None:
        """Its displayed name and language are as here."""
        values = {
            "display_name": account.display_name,
            "folded": _folded(account),
            "language": account.language,
        }
        async with self._database.writing() as db:
            await db.execute(update(AccountRow).where(AccountRow.id == account.id).values(**values))

    async def set_operator(self, account_id: AccountId, operator: bool) -> None:
        async with self._database.writing() as db:
            await db.execute(update(AccountRow).where(AccountRow.id == account_id).values(operator=operator))

    async def renew_hash(self, account_id: AccountId, password_hash: str) -> None:
        """The same password, hashed anew."""
        async with self._database.writing() as db:
            await db.execute(update(AccountRow).where(AccountRow.id == account_id).values(password_hash=password_hash))

    async def set_password(
        self, account_id: AccountId, password_hash: str | None, *, given: bool, keeping: LoginId | None = None
    ) -> None:
        """Another password, or none; ends the account's logins but `keeping`, and its links."""
        async with self._database.writing() as db:
            values = {"password_hash": password_hash, "password_given": given}
            await db.execute(update(AccountRow).where(AccountRow.id == account_id).values(**values))
            await _end_ways_in(db, account_id, keeping=keeping)

    async def add_login(
        self,
        login_id: LoginId,
        account: Account,
        secret_hash: str,
        *,
        now: datetime,
        expires: datetime,
        network: str,
    ) -> None:
        """Adds it, and removes all that have expired.

        Raises `LoginFailed` where since `account` was read its logins were ended: what let it in may be void by now.
        """
        async with self._database.writing() as db:
            row = await db.get(AccountRow, account.id, with_for_update=True)
            if row is None or row.suspended_at is not None or row.generation != account.generation:
                raise LoginFailed("the name or the password is wrong")
            await db.execute(delete(LoginRow).where(LoginRow.expires_at <= now))
            db.add(
                LoginRow(
                    id=login_id,
                    account_id=account.id,
                    secret_hash=secret_hash,
                    created_at=now,
                    expires_at=expires,
                    network=network,
                )
            )

    async def login(self, secret_hash: str, now: datetime) -> tuple[LoginId, datetime, Account] | None:
        """The login with that secret, when it expires, and whose it is; None: ended, expired or never."""
        async with self._database.reading() as db:
            row = (
                await db.execute(
                    select(LoginRow, AccountRow)
                    .join(AccountRow, AccountRow.id == LoginRow.account_id)
                    .where(
                        LoginRow.secret_hash == secret_hash,
                        LoginRow.expires_at > now,
                        AccountRow.suspended_at.is_(None),
                    )
                )
            ).one_or_none()
            return None if row is None else (LoginId(row[0].id), row[0].expires_at, _account(row[1]))

    async def logins(self, account_id: AccountId, now: datetime) -> tuple[LoginView, ...]:
        """Those that are good still, the newest first."""
        of = (LoginRow.account_id == account_id) & (LoginRow.expires_at > now)
        async with self._database.reading() as db:
            rows = await db.scalars(select(LoginRow).where(of).order_by(LoginRow.created_at.desc(), LoginRow.id))
            return tuple(_login(row) for row in rows)

    async def end_login(self, login_id: LoginId, account_id: AccountId) -> None:
        """Raises `LoginNotFound` where the account has none such."""
        mine = (LoginRow.id == login_id) & (LoginRow.account_id == account_id)
        async with self._database.writing() as db:
            gone = await db.execute(delete(LoginRow).where(mine).returning(LoginRow.id))
            if gone.scalar_one_or_none() is None:
                raise LoginNotFound(f"no login {login_id}")

    async def end_logins(self, account_id: AccountId, *, keeping: LoginId | None = None) -> None:
        """All of the account's but `keeping`, and the links that would make new ones."""
        async with self._database.writing() as db:
            await _end_ways_in(db, account_id, keeping=keeping)

    async def holder(self, client: str, now: datetime) -> Account | None:
        """Whose login or token has the id `client`; None: it has ended, or lets nobody in now."""
        login = select(LoginRow.account_id).where(LoginRow.id == client, LoginRow.expires_at > now)
        token = select(TokenRow.account_id).where(TokenRow.id == client, _lasting(now))
        mine = AccountRow.id.in_(login) | AccountRow.id.in_(token)
        async with self._database.reading() as db:
            row = (await db.scalars(select(AccountRow).where(mine, AccountRow.suspended_at.is_(None)))).one_or_none()
            return None if row is None else _account(row)

    async def add_link(self, link: Link, secret_hash: str, *, now: datetime, alone: bool = False) -> None:
        """Adds it, and removes all that have expired; with `alone`, all that are nobody's."""
        gone = LinkRow.expires_at <= now
        async with self._database.writing() as db:
            await db.execute(delete(LinkRow).where(gone | LinkRow.account_id.is_(None) if alone else gone))
            db.add(
                LinkRow(
                    id=link.id,
                    kind=link.kind,
                    account_id=link.account_id,
                    secret_hash=secret_hash,
                    expires_at=link.expires,
                    reusable=link.reusable,
                    used_at=link.used_at,
                )
            )

    async def link(self, kinds: Collection[LinkKind], secret_hash: str) -> Link | None:
        async with self._database.reading() as db:
            row = (
                await db.scalars(select(LinkRow).where(LinkRow.kind.in_(kinds), LinkRow.secret_hash == secret_hash))
            ).one_or_none()
            return None if row is None else _link(row)

    async def use_link(self, link_id: LinkId, now: datetime) -> bool:
        """Note that it was used; False where it is a one-time link that somebody else has just used."""
        async with self._database.writing() as db:
            used = await db.execute(
                update(LinkRow)
                .where(LinkRow.id == link_id, LinkRow.used_at.is_(None) | LinkRow.reusable)
                .values(used_at=now)
                .returning(LinkRow.id)
            )
            return used.scalar_one_or_none() is not None

    async def add_token(
        self,
        token_id: TokenId,
        account_id: AccountId,
        name: str,
        secret_hash: str,
        *,
        now: datetime,
        expires: datetime | None,
    ) -> None:
        async with self._database.writing() as db:
            db.add(
                TokenRow(
                    id=token_id,
                    account_id=account_id,
                    name=name,
                    secret_hash=secret_hash,
                    created_at=now,
                    expires_at=expires,
                )
            )

    async def token(self, secret_hash: str, now: datetime) -> tuple[TokenId, datetime | None, Account] | None:
        """The token with that secret, when it expires, and whose it is; None: revoked, expired or never."""
        async with self._database.reading() as db:
            row = (
                await db.execute(
                    select(TokenRow, AccountRow)
                    .join(AccountRow, AccountRow.id == TokenRow.account_id)
                    .where(TokenRow.secret_hash == secret_hash, _lasting(now), AccountRow.suspended_at.is_(None))
                )
            ).one_or_none()
            return None if row is None else (TokenId(row[0].id), row[0].expires_at, _account(row[1]))

    async def tokens(self, account_id: AccountId, now: datetime) -> tuple[TokenView, ...]:
        """Those that are good still, the newest first."""
        of = (TokenRow.account_id == account_id) & _lasting(now)
        async with self._database.reading() as db:
            rows = await db.scalars(select(TokenRow).where(of).order_by(TokenRow.created_at.desc(), TokenRow.id))
            return tuple(_token(row) for row in rows)

    async def token_owner(self, token_id: TokenId) -> AccountId:
        """Raises `TokenNotFound`."""
        async with self._database.reading() as db:
            row = await db.get(TokenRow, token_id)
            if row is None:
                raise TokenNotFound(f"no token {token_id}")
            return AccountId(row.account_id)

    async def delete_token(self, token_id: TokenId, account_id: AccountId) -> None:
        """Raises `TokenNotFound` where the account has none of that id."""
        mine = (TokenRow.id == token_id) & (TokenRow.account_id == account_id)
        async with self._database.writing() as db:
            gone = await db.execute(delete(TokenRow).where(mine).returning(TokenRow.id))
            if gone.scalar_one_or_none() is None:
                raise TokenNotFound(f"no token {token_id}")

    async def key(self, name: str, new: bytes) -> bytes:
        """The key of that name: what is kept, or `new`, which is kept from now on."""
        with contextlib.suppress(IntegrityError):  # another process was first
            async with self._database.writing() as db:
                kept = await db.get(KeyRow, name)
                if kept is not None:
                    return kept.key
                db.add(KeyRow(name=name, key=new))
        async with self._database.reading() as db:
            return (await db.scalars(select(KeyRow.key).where(KeyRow.name == name))).one()


async def _administrators_but(
    db: AsyncSession, leaving: AccountId, organisations: Collection[OrganisationId]
) -> set[OrganisationId]:
    """Those of these organisations that somebody else administers who is let in.

    All accounts concerned, `leaving` too, are locked in one order: two who take each other's role at once wait for each
    other rather than both succeed, or both hold what the other needs.
    """
    holds = (RoleRow.role == Role.ADMINISTRATOR) & RoleRow.organisation_id.in_(organisations)
    concerned = (AccountRow.id == leaving) | AccountRow.id.in_(select(RoleRow.account_id).where(holds))
    await db.execute(select(AccountRow.id).where(concerned).order_by(AccountRow.id).with_for_update())
    rows = await db.scalars(
        select(RoleRow.organisation_id)
        .join(AccountRow, AccountRow.id == RoleRow.account_id)
        .where(holds, AccountRow.id != leaving, AccountRow.suspended_at.is_(None))
    )
    return {OrganisationId(each) for each in rows}


def _keep_administrator(staying: Collection[OrganisationId], organisations: Collection[OrganisationId]) -> None:
    """Raises `LastAdministrator` where nobody would stay to administer one of these."""
    if not set(staying).intersection(organisations):
        raise LastAdministrator("nobody would be left to administer it: make somebody else an administrator first")


async def _end_ways_in(db: AsyncSession, account_id: AccountId, *, keeping: LoginId | None = None) -> None:
    """Logins, and links that would make new ones."""
    ended = LoginRow.account_id == account_id
    await db.execute(delete(LoginRow).where(ended if keeping is None else ended & (LoginRow.id != keeping)))
    await db.execute(delete(LinkRow).where(LinkRow.account_id == account_id))
    of = update(AccountRow).where(AccountRow.id == account_id)
    await db.execute(of.values(generation=AccountRow.generation + 1))


def _lasting(now: datetime) -> ColumnElement[bool]:
    return TokenRow.expires_at.is_(None) | (TokenRow.expires_at > now)


def _login(row: LoginRow) -> LoginView:
    return LoginView(id=LoginId(row.id), begun=row.created_at, expires=row.expires_at, network=row.network)


def _token(row: TokenRow) -> TokenView:
    return TokenView(id=TokenId(row.id), name=row.name, created=row.created_at, expires=row.expires_at)


def _folded(account: Account) -> str:
    return folded(f"{account.display_name} {account.name}")


def _account(row: AccountRow) -> Account:
    return Account(
        id=AccountId(row.id),
        name=row.name,
        display_name=row.display_name,
        language=Language(row.language),
        roles=tuple(RoleAt(each.role, OrganisationId(each.organisation_id)) for each in row.roles),
        created=row.created_at,
        operator=row.operator,
        password_given=row.password_given,
        suspended=row.suspended_at,
        generation=row.generation,
    )


def _link(row: LinkRow) -> Link:
    return Link(
        id=LinkId(row.id),
        kind=row.kind,
        account_id=None if row.account_id is None else AccountId(row.account_id),
        expires=row.expires_at,
        reusable=row.reusable,
        used_at=row.used_at,
    )
