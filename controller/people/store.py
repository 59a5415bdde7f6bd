"""People in the database. Each method is one transaction; secrets come in as hashes only."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, exists, select, update
from sqlalchemy.exc import IntegrityError

from controller.people.account import Account, AccountId, LoginId, Role, RoleAt, TokenId
from controller.people.errors import AccountExists, AccountNotFound, LinkNotFound
from controller.people.link import Link, LinkId, LinkKind
from controller.people.tables import AccountRow, LinkRow, LoginRow, RoleRow, TokenRow
from rooms.school import OrganisationId
from rooms.store.store import Store


class PeopleStore:
    """Accounts with their roles, logins, links and tokens."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add_account(self, account: Account, password_hash: str | None, *, by_link: LinkId | None = None) -> None:
        """With `by_link`, use up that link in the same transaction. Raises `AccountExists`, `LinkNotFound`."""
        row = AccountRow(
            id=account.id,
            name=account.name,
            display_name=account.display_name,
            language=account.language,
            password_hash=password_hash,
            created_at=account.created,
            roles=[RoleRow(organisation_id=each.organisation_id, role=each.role) for each in account.roles],
        )
        try:
            async with self._store.writing() as db:
                if by_link is not None:
                    used = await db.execute(
                        update(LinkRow)
                        .where(LinkRow.id == by_link, LinkRow.used_at.is_(None))
                        .values(used_at=account.created)
                        .returning(LinkRow.id)
                    )
                    if used.scalar_one_or_none() is None:
                        raise LinkNotFound("this link is not valid any more")
                db.add(row)
        except IntegrityError as error:
            raise AccountExists(f"the name {account.name} is taken") from error

    async def account(self, account_id: AccountId) -> Account:
        """Raises `AccountNotFound`."""
        async with self._store.reading() as db:
            row = await db.get(AccountRow, account_id)
            if row is None:
                raise AccountNotFound(f"account {account_id} not found")
            return _account(row)

    async def account_named(self, name: str) -> tuple[Account, str | None] | None:
        """The account and its password's hash."""
        async with self._store.reading() as db:
            row = (await db.scalars(select(AccountRow).where(AccountRow.name == name))).one_or_none()
            return None if row is None else (_account(row), row.password_hash)

    async def accounts(self, organisation_ids: Collection[OrganisationId]) -> tuple[Account, ...]:
        """Accounts that hold a role at one of these, by name."""
        here = exists().where(RoleRow.account_id == AccountRow.id, RoleRow.organisation_id.in_(organisation_ids))
        async with self._store.reading() as db:
            rows = await db.scalars(select(AccountRow).where(here).order_by(AccountRow.name))
            return tuple(_account(row) for row in rows)

    async def accounts_holding(self, roles: Collection[Role], organisation_id: OrganisationId) -> tuple[Account, ...]:
        """Accounts that hold one of these roles just here, by name."""
        here = exists().where(
            RoleRow.account_id == AccountRow.id, RoleRow.organisation_id == organisation_id, RoleRow.role.in_(roles)
        )
        async with self._store.reading() as db:
            rows = await db.scalars(select(AccountRow).where(here).order_by(AccountRow.display_name, AccountRow.name))
            return tuple(_account(row) for row in rows)

    async def any_administrator(self) -> bool:
        async with self._store.reading() as db:
            return bool(await db.scalar(select(exists().where(RoleRow.role == Role.ADMINISTRATOR))))

    async def grant(self, account_id: AccountId, role: RoleAt) -> None:
        """Nothing changes where it is held already. Raises `AccountNotFound`."""
        async with self._store.writing() as db:
            if await db.get(AccountRow, account_id) is None:
                raise AccountNotFound(f"account {account_id} not found")
            await db.merge(RoleRow(account_id=account_id, organisation_id=role.organisation_id, role=role.role))

    async def set_password(self, account_id: AccountId, password_hash: str, *, end_logins: bool) -> None:
        async with self._store.writing() as db:
            await db.execute(update(AccountRow).where(AccountRow.id == account_id).values(password_hash=password_hash))
            if end_logins:
                await db.execute(delete(LoginRow).where(LoginRow.account_id == account_id))

    async def add_login(
        self, login_id: LoginId, account_id: AccountId, secret_hash: str, *, now: datetime, expires: datetime
    ) -> None:
        """Adds it, and removes all that have expired."""
        async with self._store.writing() as db:
            await db.execute(delete(LoginRow).where(LoginRow.expires_at <= now))
            db.add(
                LoginRow(
                    id=login_id, account_id=account_id, secret_hash=secret_hash, created_at=now, expires_at=expires
                )
            )

    async def login(self, secret_hash: str, now: datetime) -> tuple[LoginId, datetime, Account] | None:
        """The login with that secret, when it expires, and whose it is; None: ended, expired or never."""
        async with self._store.reading() as db:
            row = (
                await db.execute(
                    select(LoginRow, AccountRow)
                    .join(AccountRow, AccountRow.id == LoginRow.account_id)
                    .where(LoginRow.secret_hash == secret_hash, LoginRow.expires_at > now)
                )
            ).one_or_none()
            return None if row is None else (LoginId(row[0].id), row[0].expires_at, _account(row[1]))

    async def end_login(self, login_id: LoginId) -> None:
        async with self._store.writing() as db:
            await db.execute(delete(LoginRow).where(LoginRow.id == login_id))

    async def add_link(self, link: Link, secret_hash: str, *, now: datetime, alone: bool = False) -> None:
        """Adds it, and removes all that have expired; with `alone`, all of its kind."""
        gone = LinkRow.expires_at <= now
        async with self._store.writing() as db:
            await db.execute(delete(LinkRow).where(gone | (LinkRow.kind == link.kind) if alone else gone))
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

    async def link(self, kind: LinkKind, secret_hash: str) -> Link | None:
        async with self._store.reading() as db:
            row = (
                await db.scalars(select(LinkRow).where(LinkRow.kind == kind, LinkRow.secret_hash == secret_hash))
            ).one_or_none()
            return None if row is None else _link(row)

    async def use_link(self, link_id: LinkId, now: datetime) -> bool:
        """Note that it was used; False where it is a one-time link that somebody else has just used."""
        async with self._store.writing() as db:
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
        async with self._store.writing() as db:
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
        async with self._store.reading() as db:
            row = (
                await db.execute(
                    select(TokenRow, AccountRow)
                    .join(AccountRow, AccountRow.id == TokenRow.account_id)
                    .where(
                        TokenRow.secret_hash == secret_hash,
                        TokenRow.expires_at.is_(None) | (TokenRow.expires_at > now),
                    )
                )
            ).one_or_none()
            return None if row is None else (TokenId(row[0].id), row[0].expires_at, _account(row[1]))

    async def delete_token(self, token_id: TokenId) -> bool:
        async with self._store.writing() as db:
            gone = await db.execute(delete(TokenRow).where(TokenRow.id == token_id).returning(TokenRow.id))
            return gone.scalar_one_or_none() is not None


def _account(row: AccountRow) -> Account:
    return Account(
        id=AccountId(row.id),
        name=row.name,
        display_name=row.display_name,
        language=row.language,
        roles=tuple(RoleAt(each.role, OrganisationId(each.organisation_id)) for each in row.roles),
        created=row.created_at,
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
