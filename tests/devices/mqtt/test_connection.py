import asyncio
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from devices.errors import BrokerLost, BrokerRefused
from devices.mqtt.connection import INBOUND_BYTES_LIMIT, INBOUND_LIMIT, Mqtt, MqttSettings, connect
from devices.mqtt.message import Message, Publish
from testing.mosquitto import Broker


async def receive(mqtt: Mqtt, count: int) -> list[Message]:
    messages: list[Message] = []
    async with asyncio.timeout(20):
        while len(messages) < count:
            messages += await mqtt.receive()
    return messages


async def test_a_published_message_comes_to_the_subscriber(broker: Broker) -> None:
    async with connect(broker.settings) as one, connect(broker.settings) as other:
        assert await one.subscribe(["a/+", "b"]) == ()
        await other.publish(Publish("a/x", b"1"))
        await other.publish(Publish("b", "hình".encode(), qos=0))
        messages = await receive(one, 2)
    assert [(each.topic, each.payload, each.retained) for each in messages] == [
        ("a/x", b"1", False),
        ("b", "hình".encode(), False),
    ]
    assert messages[0].received.utcoffset() == timedelta(0)


async def test_a_retained_message_is_marked_as_such(broker: Broker) -> None:
    async with connect(broker.settings) as mqtt:
        await mqtt.publish(Publish("a", b"1"), retain=True)
        await mqtt.subscribe(["a"])
        assert [each.retained for each in await receive(mqtt, 1)] == [True]


async def test_an_unsubscribed_topic_is_quiet(broker: Broker) -> None:
    async with connect(broker.settings) as mqtt:
        await mqtt.subscribe(["a", "b"])
        await mqtt.unsubscribe(["a"])
        await mqtt.publish(Publish("a", b"1"))
        await mqtt.publish(Publish("b", b"2"))
        assert [each.topic for each in await receive(mqtt, 1)] == ["b"]


@pytest.mark.parametrize("qos", [0, 1])
async def test_a_burst_beyond_the_inbound_limit_loses_nothing(broker: Broker, qos: int) -> None:
    """The reader does not take anything until all was published: the rest waits in the sockets and in the broker."""
    count = 5 * INBOUND_LIMIT
    async with connect(broker.settings) as one, connect(broker.settings) as other:
        await one.subscribe(["burst"])
        async with asyncio.TaskGroup() as tasks:
            for number in range(count):
                tasks.create_task(other.publish(Publish("burst", b"%d" % number, qos)))
        messages = await receive(one, count)
    assert [int(each.payload) for each in messages] == list(range(count))


async def test_large_messages_that_wait_are_bounded_by_their_size(broker: Broker) -> None:
    """What is too much stays in the sockets and in the broker, and comes later."""
    count, payload = 40, b"x" * (INBOUND_BYTES_LIMIT // 8)
    async with connect(broker.settings) as one, connect(broker.settings) as other:
        await one.subscribe(["large"])
        for _ in range(count):
            await other.publish(Publish("large", payload))
        first = await one.receive()
        assert sum(len(each.payload) for each in first) <= INBOUND_BYTES_LIMIT + len(payload)
        await receive(one, count - len(first))


async def test_a_broken_connection_sends_the_will_and_a_closed_one_does_not(broker: Broker) -> None:
    async with connect(broker.settings) as watcher:
        await watcher.subscribe(["will/+"])
        async with connect(broker.settings, will=Publish("will/closed", b"gone")):
            pass
        async with connect(broker.settings, will=Publish("will/broken", b"gone")) as broken:
            broken.abort()
        assert [each.topic for each in await receive(watcher, 1)] == ["will/broken"]


async def test_everyone_who_waits_hears_that_the_broker_stopped(broker: Broker) -> None:
    async with connect(broker.settings) as mqtt:
        waiting = asyncio.create_task(mqtt.receive())
        await mqtt.subscribe(["a"])
        await broker.stop()
        with pytest.raises(BrokerLost):
            await waiting
        with pytest.raises(BrokerLost):
            await mqtt.publish(Publish("a", b"1"))
        with pytest.raises(BrokerLost):
            await mqtt.subscribe(["b"])


async def test_no_broker_is_a_lost_broker(broker: Broker) -> None:
    await broker.stop()
    with pytest.raises(BrokerLost):
        async with connect(broker.settings):
            pass


async def test_a_server_that_is_no_broker_is_a_lost_broker() -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 100)
        writer.close()
        with suppress(ConnectionResetError):
            await writer.wait_closed()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        with pytest.raises(BrokerLost):
            async with connect(MqttSettings(host="127.0.0.1", port=server.sockets[0].getsockname()[1])):
                pass


async def test_a_wrong_password_is_refused(tmp_path: Path) -> None:
    (tmp_path / "passwords").write_text("")
    broker = Broker(tmp_path, extra=f"allow_anonymous false\npassword_file {tmp_path / 'passwords'}\n")
    await broker.start()
    try:
        settings = MqttSettings(host="127.0.0.1", port=broker.port, username="le-loi", password="wrong")
        with pytest.raises(BrokerRefused):
            async with connect(settings):
                pass
    finally:
        await broker.stop()


def _certificate(directory: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (directory / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


async def test_tls_carries_a_burst_and_checks_the_certificate(tmp_path: Path) -> None:
    _certificate(tmp_path)
    broker = Broker(tmp_path, extra=f"certfile {tmp_path / 'cert.pem'}\nkeyfile {tmp_path / 'key.pem'}\n")
    await broker.start()
    try:
        good = MqttSettings(host="127.0.0.1", port=broker.port, tls=True, ca_file=tmp_path / "cert.pem")
        async with connect(good) as one, connect(good) as other:
            await one.subscribe(["burst"])
            async with asyncio.TaskGroup() as tasks:
                for number in range(3_000):
                    tasks.create_task(other.publish(Publish("burst", b"%d" % number)))
            assert [int(each.payload) for each in await receive(one, 3_000)] == list(range(3_000))
        with pytest.raises(BrokerLost) as caught:
            async with connect(MqttSettings(host="127.0.0.1", port=broker.port, tls=True)):
                pass
        assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
    finally:
        await broker.stop()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://broker", MqttSettings(host="broker")),
        ("mqtts://u:p%40ss@broker", MqttSettings(host="broker", port=8883, tls=True, username="u", password="p@ss")),
        ("mqtt://10.0.0.1:1999", MqttSettings(host="10.0.0.1", port=1999)),
    ],
)
def test_settings_are_read_from_an_address(url: str, expected: MqttSettings) -> None:
    assert MqttSettings.parse(url) == expected


@pytest.mark.parametrize("url", ["broker", "http://broker", "mqtt://", "mqtt://broker/path"])
def test_an_address_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="mqtt://host:1883"):
        MqttSettings.parse(url)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(MqttSettings(host="broker", password="secret"))
