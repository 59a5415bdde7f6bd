"""The schools' names and passwords at the embedded broker. Only hashes are kept, in the database."""

import asyncio
import json
import logging
import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from controller.broker.address import DeviceAddress, Entrance
from controller.broker.embedded import EmbeddedBroker, hash_password, is_hash, username_of
from controller.broker.errors import BrokerUnavailable, PasswordsElsewhere
from controller.errors import FileDamaged
from controller.small_file import read_small
from devices.device import Namespace
from devices.hub import DeviceHub
from rooms.audit import AuditEntry
from rooms.errors import StoreUnavailable
from rooms.people.rights import Right, Rights
from rooms.school import OrganisationId, SchoolId
from store import Store

logger = logging.getLogger(__name__)

AGAIN_S = 10.0
"""After which the broker is asked again to follow the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttLogin:
    """A school's name and password at the broker; shown once."""

    username: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttCorner(DeviceAddress):
    """A school's part of the broker, and how its devices come there.

    `discovery_prefix`: of Home Assistant discovery; `own_prefix`: of the native dialect. `ours`: its passwords are
    issued here; `issued`: there is one.
    """

    username: str
    discovery_prefix: str
    own_prefix: str
    ours: bool
    issued: bool


class MqttLogins:
    """Gives each school its corner of the broker. `broker` None: somebody else runs it and gives out its passwords.

    `directory`: the broker's; earlier versions kept the hashes there, in `schools.json`.
    """

    def __init__(
        self,
        store: Store,
        hub: DeviceHub,
        broker: EmbeddedBroker | None,
        *,
        directory: Path,
        entrance: Entrance,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._passwords = store.mqtt_passwords
        self._hub = hub
        self._broker = broker
        self._entrance = entrance
        self._clock = clock
        self._earlier = directory / "schools.json"
        self._writing = asyncio.Lock()
        self._behind = asyncio.Event()  # the broker does not do yet what the database says

    async def begin(self) -> None:
        """As `take_up`, at our start: nobody who was let in is put out because a file or the disk is damaged."""
        async with self._writing:
            try:
                await self._move_in()
            except StoreUnavailable as error:
                logger.warning("MQTT passwords of earlier versions are not in the database yet: %s", error)
            try:
                await self._take_up()
            except BrokerUnavailable as error:
                self._fall_behind(error)

    async def run(self) -> None:
        """Until cancelled: have the broker follow the database again where it could not at once."""
        while True:
            await self._behind.wait()
            self._behind.clear()
            try:
                await self.take_up()
            except (BrokerUnavailable, StoreUnavailable) as error:
                self._fall_behind(error)
                await asyncio.sleep(AGAIN_S)

    async def take_up(self) -> None:
        """Let in and listen to the schools that the database has. Raises `BrokerUnavailable`."""
        async with self._writing:  # of two who read at the same time, the one who read less must not have the last word
            await self._take_up()

    async def _take_up(self) -> None:
        schools = self._schools()
        self._hub.set_namespaces({Namespace(each) for each in schools})
        if self._broker is not None:
            await self._let_in(self._broker, {}, schools)

    async def _let_in(
        self, broker: EmbeddedBroker, new: Mapping[SchoolId, str], schools: Collection[SchoolId] | None = None
    ) -> None:
        """Those of these schools, of all where None, that have a password: as it is written, or `new`."""
        hashes = {**await self._passwords.all(), **new}
        schools = self._schools() if schools is None else schools
        await broker.set_schools({each: hashes[each] for each in schools if each in hashes})

    async def school_added(self) -> None:
        """Give the school its corner of the broker and listen to it, later where the broker does not answer."""
        try:
            await self.take_up()
        except (BrokerUnavailable, StoreUnavailable) as error:
            self._fall_behind(error)

    def _fall_behind(self, error: Exception) -> None:
        logger.warning("schools that are new to the broker are let in later: %s", error)
        self._behind.set()

    async def corner(self, school_id: SchoolId, *, asked_host: str) -> MqttCorner:
        """What a technician types into the school's devices, but for the password. Raises `StoreUnavailable`."""
        address = self._entrance.for_devices(asked_host)
        return MqttCorner(
            host=address.host,
            port=address.port,
            tls=address.tls,
            reach=address.reach,
            username=username_of(school_id),
            discovery_prefix=self._entrance.discovery_prefix(school_id),
            own_prefix=f"sc/1/{school_id}/",
            ours=self._broker is not None,
            issued=await self._passwords.has(school_id),
        )

    async def issue_password(self, id: OrganisationId, *, rights: Rights, actor: str) -> MqttLogin:
        """A new password; the old one ends.

        Raises `HiddenObject`, `Forbidden`, `OrganisationNotFound`, `PasswordsElsewhere` for a broker that is not ours,
        `BrokerUnavailable` or `StoreUnavailable` where it cannot be given now: then the old one stays.
        """
        rights.require(Right.CONNECT, id, "organisation", id)
        school_id = self._store.tree.get(id).school_id
        if self._broker is None:
            raise PasswordsElsewhere("the configured broker gives out its own passwords")
        password = secrets.token_urlsafe(18)
        new = {school_id: hash_password(password)}
        async with self._writing:
            try:
                await self._let_in(self._broker, new)  # first: what it cannot take now, nobody is given
                async with self._store.transaction() as tx:
                    await tx.mqtt_passwords.put(new)
                    await tx.audit.add(self._entry(actor, school_id))
            except BaseException:
                self._behind.set()  # it goes back to what is written
                raise
        self._hub.doubt(Namespace(school_id))  # the broker has just cut off whoever came with the old one
        return MqttLogin(username=username_of(school_id), password=password)

    def _entry(self, actor: str, school_id: SchoolId) -> AuditEntry:
        return AuditEntry(
            at=self._clock(),
            actor=actor,
            action="school.mqtt_password",
            object_kind="organisation",
            object_id=school_id,
            before={},
            after={},
        )

    def _schools(self) -> list[SchoolId]:
        return [school for top in self._store.tree.tops() for school in sorted(self._store.tree.schools_below(top.id))]

    async def _move_in(self) -> None:
        """Take what earlier versions kept in files into the database."""
        if self._broker is None:
            return
        known, schools = await self._passwords.all(), set(self._schools())
        found = {**self._broker.schools, **_kept(self._earlier)}
        new = {school: found[school] for school in schools if school in found and school not in known}
        await self._passwords.put(new)
        with suppress(OSError):
            self._earlier.unlink(missing_ok=True)


def _kept(file: Path) -> Mapping[str, str]:
    """What is good of an earlier version's file; the broker's own files have the same."""
    try:
        text = read_small(file)
        told = {} if text is None else json.loads(text)
        return _hashes(told.items())
    except FileDamaged as error:
        logger.warning("%s; the schools' MQTT passwords are taken from the broker's own files", error)
    except (ValueError, AttributeError):
        logger.warning("%s is damaged; the schools' MQTT passwords are taken from the broker's own files", file)
    return {}


def _hashes(items: Collection[tuple[object, object]]) -> dict[str, str]:
    return {name: text for name, text in items if isinstance(name, str) and isinstance(text, str) and is_hash(text)}
