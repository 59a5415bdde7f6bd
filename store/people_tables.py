"""The tables of people. They share the base, and so the database, of `store.tables`."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from rooms.people.account import Role
from rooms.people.login_link import LinkKind
from store.columns import FOLDED, UtcDateTime, words
from store.tables import ID, ORGANISATION_ID, Base

HASH = String(64)  # SHA-256, hex


class AccountRow(Base):
    __tablename__ = "accounts"
    __table_args__ = (Index("ix_accounts_listed", "folded", "id"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    display_name: Mapped[str] = mapped_column(Text)
    folded: Mapped[str] = mapped_column(FOLDED, server_default=text("''"))  # of the displayed name and the name
    language: Mapped[str] = mapped_column(String(10))
    password_hash: Mapped[str | None] = mapped_column(Text)  # None: logs in by link or token only
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    operator: Mapped[bool] = mapped_column(server_default=false())
    password_given: Mapped[bool] = mapped_column(server_default=false())
    suspended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    generation: Mapped[int] = mapped_column(server_default="0")

    roles: Mapped[list["RoleRow"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="(RoleRow.organisation_id, RoleRow.role)"
    )


class RoleRow(Base):
    __tablename__ = "roles"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(
        ORGANISATION_ID, ForeignKey("organisations.id"), primary_key=True, index=True
    )
    role: Mapped[Role] = mapped_column(words(Role), primary_key=True)


class LoginRow(Base):
    __tablename__ = "logins"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    secret_hash: Mapped[str] = mapped_column(HASH, unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    network: Mapped[str] = mapped_column(Text, server_default=text("''"))


class LinkRow(Base):
    __tablename__ = "links"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    kind: Mapped[LinkKind] = mapped_column(words(LinkKind))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"), index=True)  # None: SETUP, RECOVERY
    secret_hash: Mapped[str] = mapped_column(HASH, unique=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reusable: Mapped[bool]
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TokenRow(Base):
    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    secret_hash: Mapped[str] = mapped_column(HASH, unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class KeyRow(Base):
    """What we sign with."""

    __tablename__ = "keys"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)
