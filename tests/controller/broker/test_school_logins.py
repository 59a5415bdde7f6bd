"""Schools' corners of a real embedded broker: who is let in, and that only hashes are kept."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from controller.broker.access import verify_password
from controller.broker.address import Entrance, Reach
from controller.broker.embedded import EmbeddedBroker, Engine, hash_password
from controller.broker.errors import BrokerUnavailable, PasswordsElsewhere
from controller.broker.school_logins import MqttLogin, MqttLogins
from controller.config.model import Address, EmbeddedBrokerConfig, sqlite_url
from devices.device import Namespace
from devices.dialects.native import NativeDialect
from devices.errors import BrokerRefused
from devices.hub import DeviceHub
from devices.mqtt.connection import MqttSettings, connect
from rooms.errors import InvalidValue, StoreUnavailable
from rooms.people.rights import OWNER
from rooms.school import Organisation, OrganisationId, OrganisationKind, SchoolId
from store import Store, open_store
from testing.clock import AheadClock
from tests.controller.stage import UNRECORDABLE, running
from tests.devices.nativedevice import described, native_device, until
from tests.filesystem import small_disk
from tests.rooms.samples import LOI, XUAN, plant

ELSEWHERE = Entrance(listen=Address("mqtt.so.vn", 8883), tls=True)


class Corner:
    """A store, a broker that is ours, and the logins between them."""

    def __init__(self, store: Store, broker: EmbeddedBroker, address: Address, directory: Path) -> None:
        self.store = store
        self.broker = broker
        self.directory = directory
        settings = MqttSettings(host=address.host, port=address.port)
        self.hub = DeviceHub(connection=settings, dialects=[NativeDialect()], clock=AheadClock())
        self.logins = MqttLogins(
            store, self.hub, broker, directory=directory, entrance=Entrance(listen=address), clock=AheadClock()
        )
        self._address = address

    def settings(self, login: MqttLogin) -> MqttSettings:
        return MqttSettings(
            host=self._address.host, port=self._address.port, username=login.username, password=login.password
        )

    async def lets_in(self, login: MqttLogin) -> bool:
        try:
            async with asyncio.timeout(10), connect(self.settings(login)):
                return True
        except BrokerRefused:
            return False


WORDS = ("good", "before")


@asynccontextmanager
async def open_corner(directory: Path, database: Path) -> AsyncIterator[Corner]:
    config = EmbeddedBrokerConfig(listen=Address("127.0.0.1", 0))
    broker = EmbeddedBroker(config, directory=directory, engine=Engine.MOSQUITTO)
    async with open_store(sqlite_url(database)) as store, running(broker.run()):
        await plant(store)
        login = await broker.ready()
        corner = Corner(store, broker, login.address, directory)
        await corner.logins.begin()
        yield corner


@pytest.fixture
async def corner(tmp_path: Path) -> AsyncIterator[Corner]:
    async with open_corner(tmp_path / "broker", tmp_path / "store.sqlite") as opened:
        yield opened


async def test_issued_password_lets_the_school_in_and_ends_the_one_before(corner: Corner) -> None:
    old = await corner.logins.issue_password(LOI, rights=OWNER, actor="test")
    assert await corner.lets_in(old)
    new = await corner.logins.issue_password(LOI, rights=OWNER, actor="test")
    assert await corner.lets_in(new)
    assert not await corner.lets_in(old)


async def test_corner_says_where_devices_connect_and_whether_there_is_a_password(corner: Corner) -> None:
    before = await corner.logins.corner(LOI, asked_host="10.0.0.5")
    await corner.logins.issue_password(LOI, rights=OWNER, actor="test")
    after = await corner.logins.corner(LOI, asked_host="10.0.0.5")
    assert (before.host, before.tls, before.reach) == ("127.0.0.1", False, Reach.MACHINE)
    assert (before.username, before.own_prefix) == (f"school-{LOI}", f"sc/1/{LOI}/")
    neighbour = await corner.logins.corner(XUAN, asked_host="")
    assert (before.issued, after.issued, neighbour.issued) == (False, True, False)


async def test_passwords_issued_at_once_to_two_schools_both_hold(corner: Corner) -> None:
    logins = await asyncio.gather(
        *(corner.logins.issue_password(school, rights=OWNER, actor="test") for school in (XUAN, LOI))
    )
    assert [await corner.lets_in(each) for each in logins] == [True, True]


async def test_only_hashes_are_kept(corner: Corner) -> None:
    login = await corner.logins.issue_password(LOI, rights=OWNER, actor="test")
    kept = await corner.store.mqtt_passwords.all()
    assert {school: verify_password(login.password, hashed) for school, hashed in kept.items()} == {LOI: True}
    files = [file for file in (corner.directory.parent).rglob("*") if file.is_file()]
    assert [file.name for file in files if login.password.encode() in file.read_bytes()] == []


GOOD = hash_password("good")


@pytest.mark.parametrize(
    ("content", "lets_in"),
    [
        (json.dumps({LOI: GOOD, "gone": GOOD}).encode(), "good"),
        (b"", "before"),
        (json.dumps({LOI: GOOD}).encode()[:-9], "before"),
        (b"\xff\xfe{}", "before"),
        (b"[1]", "before"),
        (json.dumps({LOI: "no hash"}).encode(), "before"),
        (None, "before"),
    ],
)
async def test_passwords_of_earlier_versions_move_in_however_their_file_is(
    corner: Corner, content: bytes | None, lets_in: str
) -> None:
    await corner.broker.set_schools({LOI: hash_password("before")})
    file = corner.directory / "schools.json"
    if content is not None:
        file.write_bytes(content)
    await corner.logins.begin()
    passwords = {word: await corner.lets_in(MqttLogin(username="school-le-loi", password=word)) for word in WORDS}
    assert passwords == {word: word == lets_in for word in WORDS}
    assert not file.exists()


async def test_no_password_is_given_where_the_broker_cannot_take_it(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        async with open_corner(disk.path, tmp_path / "store.sqlite") as corner:
            old = await corner.logins.issue_password(LOI, rights=OWNER, actor="test")
            with disk.full(), pytest.raises((BrokerUnavailable, StoreUnavailable)):
                await corner.logins.issue_password(LOI, rights=OWNER, actor="test")
            assert await corner.lets_in(old)
            await corner.logins.take_up()
            assert await corner.lets_in(old)


async def test_a_password_that_cannot_be_recorded_is_not_given_and_the_broker_goes_back(corner: Corner) -> None:
    old = await corner.logins.issue_password(LOI, rights=OWNER, actor="lan")
    kept = await corner.store.mqtt_passwords.all()
    async with running(corner.logins.run()):
        with pytest.raises(InvalidValue):
            await corner.logins.issue_password(LOI, rights=OWNER, actor=UNRECORDABLE)
        async with asyncio.timeout(20):
            while not await corner.lets_in(old):
                pass
    assert await corner.store.mqtt_passwords.all() == kept
    assert [each.actor for each in await corner.store.audit.list()] == ["lan"]


async def test_schools_added_at_once_are_all_listened_to(corner: Corner) -> None:
    added = [SchoolId(OrganisationId(f"school-{number}")) for number in range(5)]

    async def add(id: SchoolId) -> None:
        await corner.store.organisations.add(Organisation(id=id, kind=OrganisationKind.SCHOOL, name=id))
        await corner.logins.school_added()

    await asyncio.gather(*(add(each) for each in added))
    logins = [await corner.logins.issue_password(each, rights=OWNER, actor="test") for each in (*added, LOI)]
    assert [await corner.lets_in(each) for each in logins] == [True] * 6


async def test_devices_of_a_new_school_are_discovered(corner: Corner, tmp_path: Path) -> None:
    login = await corner.logins.issue_password(LOI, rights=OWNER, actor="test")
    settings = corner.settings(login)
    hub = DeviceHub(connection=settings, dialects=[NativeDialect()], clock=AheadClock())
    logins = MqttLogins(
        corner.store, hub, None, directory=tmp_path / "elsewhere", entrance=ELSEWHERE, clock=AheadClock()
    )
    async with running(hub.run()), native_device(settings, described()) as device:
        await logins.school_added()
        await until(hub, lambda: device.id in {each.id for each in hub.devices()})
    assert device.device.namespace == Namespace(LOI)


async def test_passwords_of_a_broker_that_is_not_ours_are_not_issued(corner: Corner, tmp_path: Path) -> None:
    logins = MqttLogins(
        corner.store, corner.hub, None, directory=tmp_path / "elsewhere", entrance=ELSEWHERE, clock=AheadClock()
    )
    with pytest.raises(PasswordsElsewhere):
        await logins.issue_password(LOI, rights=OWNER, actor="test")
