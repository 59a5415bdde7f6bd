"""The database of what a school plans, opened with its schema brought up to date."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from sqlalchemy import MetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from rooms.errors import StoreUnavailable
from rooms.organisation_tree import OrganisationTree
from store.audit import Audit
from store.clock import ClockStore
from store.database import Database, Joined
from store.device_addresses import DeviceAddresses
from store.devices import Devices
from store.displays import Displays
from store.engine import make_engine, parse_url
from store.lessons import Lessons
from store.migrate import migrate
from store.mqtt_passwords import MqttPasswords
from store.organisations import Organisations
from store.people import PeopleStore
from store.quality import QualityStore
from store.rooms import Rooms
from store.scenes import Scenes
from store.tables import Base


class Store:
    """All that is kept, by noun. Each method of these is one transaction, or part of one that `transaction` began.

    `tree`: all organisations, in memory.
    """

    metadata: MetaData = Base.metadata

    def __init__(self, database: Database, tree: OrganisationTree) -> None:
        self._database = database
        self.engine: AsyncEngine = database.engine
        self.tree = tree
        self.organisations = Organisations(database, tree)
        self.rooms = Rooms(database, tree)
        self.displays = Displays(database)
        self.devices = Devices(database)
        self.device_addresses = DeviceAddresses(database)
        self.scenes = Scenes(database)
        self.lessons = Lessons(database, tree)
        self.audit = Audit(database)
        self.people = PeopleStore(database)
        self.mqtt_passwords = MqttPasswords(database)
        self.quality = QualityStore(database)
        self.clock = ClockStore(database)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Store"]:
        """What is done with the yielded store is one transaction: all of it is written, or nothing if the block raises.

        Nothing slow belongs into it: SQLite has one writer, and the others wait. Raises `StoreUnavailable`.
        """
        await self.lessons.catch_up()  # what ended without the database is over for this transaction, too
        async with self._database.writing() as db:
            yield Store(Joined(self._database, db), self.tree)

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        """One consistent view of the database; nothing may be written. Raises `StoreUnavailable`."""
        return self._database.reading()

    def writing(self) -> AbstractAsyncContextManager[AsyncSession]:
        """One transaction: committed at the end, rolled back if the block raises. Raises `StoreUnavailable`."""
        return self._database.writing()


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[Store]:
    """The store at `url`, e.g. `sqlite:///nhipcau.db` or `postgresql://user:password@host/name`, migrations applied.

    Raises `StoreUnavailable`, `StoreTooNew`, `InvalidValue` for another kind of URL.
    """
    parsed = parse_url(url)
    try:
        await migrate(parsed)
    except (DBAPIError, OSError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise StoreUnavailable(f"{parsed.render_as_string(hide_password=True)} cannot be opened: {reason}") from error
    engine = make_engine(parsed)
    try:
        store = Store(Database(engine), OrganisationTree())
        await store.organisations.read()
        yield store
    finally:
        await engine.dispose()
