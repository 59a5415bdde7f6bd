"""Both engines for real: who may connect, what each may use, changes while it runs, crash and adoption."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.broker.embedded import BrokerLogin, EmbeddedBroker, Engine, hash_password
from controller.broker.errors import BrokerUnavailable
from controller.config.model import Address, EmbeddedBrokerConfig
from controller.processes.errors import ChildFailed
from controller.processes.process import identify
from devices.errors import BrokerLost, BrokerRefused
from devices.mqtt.connection import Mqtt, MqttSettings, connect
from devices.mqtt.message import Publish
from tests.eventually import eventually
from tests.filesystem import small_disk

FREE = EmbeddedBrokerConfig(listen=Address("127.0.0.1", 0))
HASHES = {"le-loi": hash_password("of le-loi"), "viet-xuan": hash_password("of viet-xuan")}
# A controller of its own: runs the broker until somebody kills it.
PARENT = """
import asyncio, sys
from pathlib import Path
from controller.broker.access import hash_password
from controller.broker.embedded import EmbeddedBroker, Engine
from controller.config.model import Address, EmbeddedBrokerConfig
async def main():
    config = EmbeddedBrokerConfig(listen=Address("127.0.0.1", 0))
    broker = EmbeddedBroker(config, directory=Path(sys.argv[2]), engine=Engine(sys.argv[1]))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        await broker.ready()
        await broker.set_schools({"le-loi": hash_password("of le-loi")})
        print("up", flush=True)
asyncio.run(main())
"""

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture(params=list(Engine))
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param)


@contextlib.asynccontextmanager
async def running(broker: EmbeddedBroker) -> AsyncIterator[BrokerLogin]:
    task = asyncio.create_task(broker.run(), name="broker")
    try:
        async with asyncio.timeout(60):
            yield await broker.ready()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def controller(login: BrokerLogin, client_id: str = "") -> MqttSettings:
    return MqttSettings(
        host=login.address.host,
        port=login.address.port,
        username=login.username,
        password=login.password,
        client_id=client_id,
    )


def school(login: BrokerLogin, name: str, *, password: str = "", client_id: str = "") -> MqttSettings:
    return MqttSettings(
        host=login.address.host,
        port=login.address.port,
        username=f"school-{name}",
        password=password or f"of {name}",
        client_id=client_id,
    )


async def topics_until(mqtt: Mqtt, last: str) -> list[str]:
    """The topics received, up to and with `last`."""
    topics: list[str] = []
    while last not in topics:
        topics += [message.topic for message in await mqtt.receive()]
    return topics


async def ended(mqtt: Mqtt) -> None:
    """Return once the broker has ended the connection."""
    with contextlib.suppress(BrokerLost):
        while True:
            await mqtt.receive()


async def test_controller_may_read_and_write_everything(tmp_path: Path, engine: Engine) -> None:
    async with running(EmbeddedBroker(FREE, directory=tmp_path, engine=engine)) as login:
        async with connect(controller(login)) as mqtt:
            assert await mqtt.subscribe(["#"]) == ()
            await mqtt.publish(Publish("sc/1/anything/x", b"1"))
            assert await topics_until(mqtt, "sc/1/anything/x") == ["sc/1/anything/x"]


async def test_school_publishes_to_its_own_topics_only(tmp_path: Path, engine: Engine) -> None:
    broker = EmbeddedBroker(FREE, directory=tmp_path, engine=engine)
    await broker.set_schools(HASHES)
    async with running(broker) as login, connect(controller(login)) as all_seeing:
        await all_seeing.subscribe(["#"])
        async with connect(school(login, "le-loi")) as mqtt:
            for topic in (
                "sc/1/viet-xuan/r/d/state",
                "sc/1/le-loix",
                "homeassistant/a/b/config",
                "sc/1/le-loi/r/d/state",
            ):
                await mqtt.publish(Publish(topic, b"1"))
            assert await topics_until(all_seeing, "sc/1/le-loi/r/d/state") == ["sc/1/le-loi/r/d/state"]


@pytest.mark.parametrize("wanted", ["sc/1/viet-xuan/#", "sc/1/+/r/d/state", "#", "+/+/+/r/d/state"])
async def test_school_receives_its_own_topics_only(tmp_path: Path, engine: Engine, wanted: str) -> None:
    broker = EmbeddedBroker(FREE, directory=tmp_path, engine=engine)
    await broker.set_schools(HASHES)
    async with running(broker) as login, connect(controller(login)) as writer:
        await writer.publish(Publish("sc/1/viet-xuan/r/retained/state", b"1"), retain=True)
        async with connect(school(login, "le-loi")) as mqtt:
            await mqtt.subscribe([wanted])  # refused, or silent
            assert await mqtt.subscribe(["sc/1/le-loi/end"]) == ()
            await writer.publish(Publish("sc/1/viet-xuan/r/d/state", b"1"))
            await writer.publish(Publish("sc/1/le-loi/end", b"1"))
            assert set(await topics_until(mqtt, "sc/1/le-loi/end")) == {"sc/1/le-loi/end"}


async def test_retained_messages_go_to_their_subscribers_only(tmp_path: Path, engine: Engine) -> None:
    broker = EmbeddedBroker(FREE, directory=tmp_path, engine=engine)
    await broker.set_schools(HASHES)
    async with running(broker) as login, connect(controller(login)) as all_seeing:
        await all_seeing.subscribe(["#"])
        await all_seeing.publish(Publish("sc/1/viet-xuan/secret", b"1"), retain=True)
        await all_seeing.publish(Publish("sc/1/le-loi/end", b"1"), retain=True)
        async with connect(school(login, "le-loi")) as mqtt:
            await mqtt.subscribe(["sc/1/le-loi/#"])
            assert await topics_until(mqtt, "sc/1/le-loi/end") == ["sc/1/le-loi/end"]


async def test_school_uses_its_discovery_prefix(tmp_path: Path, engine: Engine) -> None:
    broker = EmbeddedBroker(FREE, directory=tmp_path, engine=engine, home_assistant_prefix="ha/{school}")
    await broker.set_schools(HASHES)
    async with running(broker) as login, connect(controller(login)) as all_seeing:
        await all_seeing.subscribe(["#"])
        async with connect(school(login, "le-loi")) as mqtt:
            await mqtt.publish(Publish("ha/viet-xuan/light/x/config", b"1"))
            await mqtt.publish(Publish("ha/le-loi/light/x/config", b"1"))
            assert await topics_until(all_seeing, "ha/le-loi/light/x/config") == ["ha/le-loi/light/x/config"]


async def test_last_will_needs_the_same_right(tmp_path: Path, engine: Engine) -> None:
    broker = EmbeddedBroker(FREE, directory=tmp_path, engine=engine)
    await broker.set_schools(HASHES)
    async with running(broker) as login, connect(controller(login)) as all_seeing:
        await all_seeing.subscribe(["#"])
        for topic in ("sc/1/viet-xuan/r/d/avail", "sc/1/le-loi/r/d/avail"):
            with contextlib.suppress(BrokerRefused, BrokerLost):  # amqtt refuses the first; Mosquitto says nothing
                async with connect(school(login, "le-loi", client_id="same"), will=Publish(topic, b"offline")) as mqtt:
                    # A second connection of the same name ends the first without DISCONNECT.
                    async with connect(school(login, "le-loi", client_id="same")):
                        await ended(mqtt)
        assert await topics_until(all_seeing, "sc/1/le-loi/r/d/avail") == ["sc/1/le-loi/r/d/avail"]


@pytest.mark.parametrize(
    ("username", "password"),
    [("school-le-loi", "wrong"), ("school-le-loi", ""), ("school-none", "of le-loi"), ("controller", "x"), ("", "")],
)
async def test_wrong_login_is_refused(tmp_path: Path, engine: Engine, username: str, password: str) -> None:
    broker = EmbeddedBroker(FREE, directory=tmp_path, engine=engine)
    await broker.set_schools(HASHES)
    async with running(broker) as login:
        settings = MqttSettings(host=login.address.host, port=login.address.port, username=username, password=password)
        with pytest.raises(BrokerRefused):
            async with connect(settings):
                pass


async def test_refused_login_cannot_end_another_connection(tmp_path: Path, engine: Engine) -> None:
    broker = EmbeddedBroker(FREE, directory=tmp_path, engine=engine)
    await broker.set_schools(HASHES)
    async with running(broker) as login, connect(controller(login, client_id="nhipcau")) as mqtt:
        await mqtt.subscribe(["#"])
        with pytest.raises(BrokerRefused):
            async with connect(school(login, "le-loi", password="wrong", client_id="nhipcau")):
                pass
        await mqtt.publish(Publish("still/here", b"1"))
        assert await topics_until(mqtt, "still/here") == ["still/here"]


async def test_new_school_is_let_in_and_nobody_is_disturbed(tmp_path: Path, engine: Engine) -> None:
    broker = EmbeddedBroker(FREE, directory=tmp_path, engine=engine)
    await broker.set_schools({"le-loi": HASHES["le-loi"]})
    async with (
        running(broker) as login,
        connect(controller(login)) as first,
        connect(school(login, "le-loi")) as second,
    ):
        await first.subscribe(["#"])
        await broker.set_schools(HASHES)
        async with connect(school(login, "viet-xuan")) as third:
            await third.publish(Publish("sc/1/viet-xuan/x", b"1"))
            await second.publish(Publish("sc/1/le-loi/x", b"1"))
            assert await topics_until(first, "sc/1/le-loi/x") == ["sc/1/viet-xuan/x", "sc/1/le-loi/x"]
        assert broker.child is not None
        assert broker.child.generation == 1


async def test_new_password_ends_the_connection_with_the_old_one(tmp_path: Path, engine: Engine) -> None:
    broker = EmbeddedBroker(FREE, directory=tmp_path, engine=engine)
    await broker.set_schools(HASHES)
    async with running(broker) as login, connect(school(login, "viet-xuan")) as other:
        async with connect(school(login, "le-loi")) as mqtt:
            await broker.set_schools(HASHES | {"le-loi": hash_password("new")})
            await ended(mqtt)
        with pytest.raises(BrokerRefused):
            async with connect(school(login, "le-loi")):
                pass
        async with connect(school(login, "le-loi", password="new")):
            await other.publish(Publish("sc/1/viet-xuan/x", b"1"))


@pytest.mark.parametrize(
    "schools",
    [{"a\nuser": HASHES["le-loi"]}, {"A school": HASHES["le-loi"]}, {"le-loi": "plain"}, {"le-loi": "$7$101$a$b\nx:"}],
)
async def test_bad_school_is_refused_and_changes_nothing(
    tmp_path: Path, engine: Engine, schools: dict[str, str]
) -> None:
    broker = EmbeddedBroker(FREE, directory=tmp_path, engine=engine)
    await broker.set_schools(HASHES)
    async with running(broker) as login:
        with pytest.raises(ValueError, match="school"):
            await broker.set_schools(schools)
        async with connect(school(login, "le-loi")):
            pass


async def test_killed_broker_comes_back_with_its_schools(tmp_path: Path, engine: Engine) -> None:
    broker = EmbeddedBroker(FREE, directory=tmp_path, engine=engine)
    async with running(broker) as login:
        await broker.set_schools(HASHES)
        assert broker.child is not None
        async with connect(school(login, "le-loi")) as mqtt:
            os.kill((await broker.child.ready()).pid, signal.SIGKILL)
            await ended(mqtt)
        assert await broker.ready(after=1) == login
        async with connect(school(login, "le-loi")):
            pass


async def test_retained_messages_outlive_the_broker_once_saved(tmp_path: Path) -> None:
    broker = EmbeddedBroker(FREE, directory=tmp_path, engine=Engine.MOSQUITTO)
    async with running(broker) as login:
        await broker.set_schools(HASHES)
        async with connect(school(login, "le-loi")) as mqtt:
            await mqtt.publish(Publish("sc/1/le-loi/r1/lamp/desc", b"a description"), retain=True)
        broker.save_soon()
        saved = tmp_path / "messages" / "mosquitto.db"
        await eventually(lambda: saved.exists() and b"a description" in saved.read_bytes())
        assert broker.child is not None
        os.kill((await broker.child.ready()).pid, signal.SIGKILL)
        await broker.ready(after=1)
        async with connect(controller(login)) as mqtt:
            await mqtt.subscribe(["#"])
            assert await topics_until(mqtt, "sc/1/le-loi/r1/lamp/desc") == ["sc/1/le-loi/r1/lamp/desc"]


@pytest.mark.parametrize("file", ["controller.password", "port", "passwords", "acl", "mosquitto.conf", "broker.state"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"junk"])
async def test_damaged_file_is_made_anew(tmp_path: Path, engine: Engine, file: str, content: bytes) -> None:
    async with running(EmbeddedBroker(FREE, directory=tmp_path, engine=engine)):
        pass
    (tmp_path / file).write_bytes(content)
    broker = EmbeddedBroker(FREE, directory=tmp_path, engine=engine)
    async with running(broker) as login:
        await broker.set_schools(HASHES)
        async with connect(controller(login)), connect(school(login, "le-loi")):
            pass


async def test_next_controller_adopts_the_broker_though_the_disk_is_full(tmp_path: Path, engine: Engine) -> None:
    with small_disk(tmp_path) as disk:
        parent = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PARENT, engine, str(disk.path), stdout=asyncio.subprocess.PIPE
        )
        assert parent.stdout is not None
        async with asyncio.timeout(30):
            assert await parent.stdout.readline() == b"up\n"
        parent.kill()
        await parent.wait()
        broker = EmbeddedBroker(FREE, directory=disk.path, engine=engine)
        with disk.full():
            async with running(broker) as login:
                assert broker.child is not None
                assert (await broker.child.ready()).adopted
                with pytest.raises(BrokerUnavailable, match="files cannot be written"):
                    await broker.set_schools(HASHES)
                async with connect(controller(login)), connect(school(login, "le-loi")):
                    pass


async def test_next_controller_adopts_the_broker_and_its_connections(tmp_path: Path, engine: Engine) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, engine, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    async with asyncio.timeout(30):
        assert await parent.stdout.readline() == b"up\n"
    password = (tmp_path / "controller.password").read_text()
    port = int((tmp_path / "port").read_text())
    earlier = BrokerLogin(address=Address("127.0.0.1", port), username="controller", password=password)
    async with connect(controller(earlier)) as mqtt, connect(school(earlier, "le-loi")) as device:
        await mqtt.subscribe(["#"])
        parent.kill()
        await parent.wait()
        await device.publish(Publish("sc/1/le-loi/alone", b"1"))
        broker = EmbeddedBroker(FREE, directory=tmp_path, engine=engine)
        async with running(broker) as login:
            assert login == earlier
            assert broker.child is not None
            ready = await broker.child.ready()
            assert ready.adopted
            await broker.set_schools(HASHES)
            async with connect(school(login, "viet-xuan")) as new:
                await new.publish(Publish("sc/1/viet-xuan/x", b"1"))
            assert await topics_until(mqtt, "sc/1/viet-xuan/x") == ["sc/1/le-loi/alone", "sc/1/viet-xuan/x"]
        assert identify(ready.pid) is None


async def test_files_are_readable_by_their_owner_only(tmp_path: Path, engine: Engine) -> None:
    directory = tmp_path / "broker"
    async with running(EmbeddedBroker(FREE, directory=directory, engine=engine)):
        assert open_to_others(directory) == []


def open_to_others(directory: Path) -> list[Path]:
    entries = [directory] if directory.stat().st_mode & 0o077 else []
    return entries + [file for file in directory.iterdir() if file.is_file() and file.stat().st_mode & 0o077]


GARBAGE = [
    b"",
    b"GET / HTTP/1.1\r\n\r\n",
    b"\x00" * 100,
    b"\x10\xff\xff\xff\x7f",  # a CONNECT of 256 MB
    b"\x10\x00",
    b"\x30\x02\x00\x01a",  # PUBLISH first
    b"\x10\x0e\x00\x04MQTT\x04\xc2\x00\x0a\xff\xff\xff\xff",
]
GARBAGE_AFTER_LOGIN = [
    b"\x30\xff\xff\xff\x7f",  # a PUBLISH of 256 MB
    b"\x30\x03\x00\x01\xff",  # a topic that is not UTF-8
    b"\x30\x05\x00\x03$ab",
    b"\x36\x05\x00\x01a\x00\x00",  # QoS 3
    b"\x82\x02\x00\x01",  # SUBSCRIBE to nothing
    b"\x82\x05\x00\x01\x00\x01+",
    b"\x40\x02\x00\x07",  # PUBACK of nothing
    b"\x62\x02\xff\xff",
    b"\x00\x00",
    b"\xf0\x00",
]


def connect_packet(login: BrokerLogin) -> bytes:
    fields = [b"garbage", login.username.encode(), login.password.encode()]
    body = b"\x00\x04MQTT\x04\xc2\x00\x0a" + b"".join(len(each).to_bytes(2) + each for each in fields)
    return bytes([0x10, len(body)]) + body


async def test_garbage_does_not_stop_the_broker(tmp_path: Path, engine: Engine) -> None:
    broker = EmbeddedBroker(FREE, directory=tmp_path, engine=engine)
    async with running(broker) as login:
        for garbage in GARBAGE + [connect_packet(login) + each for each in GARBAGE_AFTER_LOGIN]:
            reader, writer = await asyncio.open_connection(login.address.host, login.address.port)
            writer.write(garbage)
            with contextlib.suppress(OSError):  # the broker may have ended the connection by now
                writer.write_eof()
                await reader.read()
            writer.close()
        async with connect(controller(login)):
            pass
        assert broker.child is not None
        assert broker.child.generation == 1
        assert "Traceback" not in (tmp_path / "broker.log").read_text()


async def test_oversized_message_ends_its_connection_only(tmp_path: Path, engine: Engine) -> None:
    async with running(EmbeddedBroker(FREE, directory=tmp_path, engine=engine)) as login:
        async with connect(controller(login)) as other:
            await other.subscribe(["#"])
            async with connect(controller(login)) as mqtt:
                with pytest.raises(BrokerLost):
                    await mqtt.publish(Publish("large", bytes(2 << 20)))
            async with connect(controller(login)) as mqtt:
                await mqtt.publish(Publish("not/so/large", bytes(1 << 19)))
            assert await topics_until(other, "not/so/large") == ["not/so/large"]


async def test_taken_port_is_given_up_for_another(tmp_path: Path, engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        (tmp_path / "port").write_text(str(other.getsockname()[1]))
        async with running(EmbeddedBroker(FREE, directory=tmp_path, engine=engine)) as login:
            assert login.address.port != other.getsockname()[1]


async def test_configured_port_that_is_taken_ends_the_run(tmp_path: Path, engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = Address("127.0.0.1", other.getsockname()[1])
        broker = EmbeddedBroker(EmbeddedBrokerConfig(listen=listen), directory=tmp_path, engine=engine)
        with pytest.raises(ChildFailed, match=rf"^mqtt\.embedded\.listen: {listen} is in use"):
            await broker.run()


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"])
async def test_address_of_another_machine_ends_the_run(tmp_path: Path, engine: Engine, host: str) -> None:
    config = EmbeddedBrokerConfig(listen=Address(host, 1883))
    with pytest.raises(ChildFailed, match=f"^mqtt.embedded.listen: {host} is no address of this machine$"):
        await EmbeddedBroker(config, directory=tmp_path, engine=engine).run()


@pytest.mark.parametrize("host", ["0.0.0.0", "::1", "localhost"])
async def test_broker_listens_where_it_is_told(tmp_path: Path, engine: Engine, host: str) -> None:
    config = EmbeddedBrokerConfig(listen=Address(host, 0))
    async with running(EmbeddedBroker(config, directory=tmp_path, engine=engine)) as login:
        async with connect(controller(login)):
            pass
