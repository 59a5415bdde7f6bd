"""The controller put together: what it consists of, in the order in which it starts; it ends in the reverse order."""

import asyncio
import logging
import secrets
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from prometheus_client import CollectorRegistry

from controller.broker import EmbeddedBroker
from controller.broker_address import Entrance
from controller.changes import Changes
from controller.conductor import Conductor
from controller.config import Address, Config, EmbeddedBrokerConfig, ExternalBrokerConfig, HttpConfig, MqttConfig
from controller.device_records import DeviceRecords, restore_devices
from controller.errors import ListenFailed
from controller.mqtt_logins import MqttLogins
from controller.node_http import node_session
from controller.node_metrics import NodeCollector
from controller.nodes import Nodes
from controller.operator_socket import listen_for_operators
from controller.pairing import Pairing
from controller.people.people import People
from controller.quality_metrics import QualityCollector
from controller.scenes import Scenes
from controller.showing import Showing
from controller.web.operator import operator_app
from controller.web.server import make_app
from controller.web.services import Services
from devices.dialects.homeassistant.dialect import HomeAssistantDialect
from devices.dialects.native import NativeDialect
from devices.hub import DeviceHub
from devices.mqtt import MqttSettings
from rooms.store import Store, open_store

logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The controller's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """The running parts, for those who start it: the command line, the demo, tests."""

    config: Config
    url: str  # where people reach it, without a slash at the end
    store: Store
    people: People
    hub: DeviceHub
    nodes: Nodes
    conductor: Conductor
    changes: Changes
    logins: MqttLogins
    mqtt: MqttSettings  # the controller's own connection


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Controller]:
    """A controller that serves until the block ends; the block is cancelled if a part of it fails."""
    async with asyncio.TaskGroup() as tasks, AsyncExitStack() as stack:

        def serve(part: Coroutine[None, None, None], name: str) -> None:
            stack.push_async_callback(_stop, tasks.create_task(part, name=name))

        listener = stack.enter_context(_listen(config.http.listen))  # first: if it is taken, nothing has begun
        config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        store = await stack.enter_async_context(open_store(config.database.url))
        http = await stack.enter_async_context(node_session(config.bridge))
        changes = Changes()
        broker, mqtt = await _broker(config, serve)
        hub = DeviceHub(connection=mqtt, dialects=_dialects(config.mqtt), clock=utc_now)
        await restore_devices(store, hub)
        logins = MqttLogins(
            store, hub, broker, directory=config.data_dir / "broker", entrance=_entrance(config, port=mqtt.port)
        )
        await logins.take_up()
        registry = CollectorRegistry()
        nodes = Nodes(config.bridge, data_dir=config.data_dir, http=http)
        registry.register(NodeCollector(nodes.fleet))
        conductor = Conductor(
            store=store, hub=hub, nodes=nodes, changes=changes, grace=config.lessons.grace, clock=utc_now
        )
        showing = Showing(store=store, nodes=nodes, conductor=conductor, changes=changes, clock=utc_now)
        registry.register(QualityCollector(showing.quality.all_shown))
        people = People.over(store, clock=utc_now)
        serve(DeviceRecords(store, hub, changes).run(), "device records")
        serve(hub.run(), "device hub")
        serve(nodes.run(), "bridge nodes")
        serve(conductor.run(), "conductor")
        serve(showing.quality.run(), "quality")
        services = Services(
            store=store,
            people=people,
            hub=hub,
            conductor=conductor,
            showing=showing,
            quality=showing.quality,
            scenes=Scenes(store, hub, clock=utc_now, in_lesson=conductor.in_lesson),
            nodes=nodes,
            fleet=nodes.fleet,
            node_http=http,
            broker=logins,
            changes=changes,
            pairing=Pairing(clock=utc_now),
            clock=utc_now,
            registry=registry,
            probes={"mqtt": lambda: hub.connected, "bridge": lambda: nodes.connected},
            secure=config.http.tls is not None or (config.http.public_url or "").startswith("https://"),
            trusted_proxies=config.http.trusted_proxies,
            origins=frozenset({config.http.public_url} if config.http.public_url else ()),
        )
        app = make_app(services)
        await stack.enter_async_context(_serving_operators(app, config.data_dir))
        url = await stack.enter_async_context(_serving(app, listener, config.http))
        yield Controller(
            config=config,
            url=config.http.public_url or url,
            store=store,
            people=people,
            hub=hub,
            nodes=nodes,
            conductor=conductor,
            changes=changes,
            logins=logins,
            mqtt=mqtt,
        )


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def _broker(
    config: Config, serve: Callable[[Coroutine[None, None, None], str], None]
) -> tuple[EmbeddedBroker | None, MqttSettings]:
    """Start the broker that is ours, and say how we reach it or the one that is not."""
    client_id = f"nhipcau-{secrets.token_hex(4)}"
    match config.mqtt.broker:
        case EmbeddedBrokerConfig() as embedded:
            prefix = config.mqtt.home_assistant_prefix
            broker = EmbeddedBroker(embedded, directory=config.data_dir / "broker", home_assistant_prefix=prefix)
            serve(broker.run(), "broker")
            login = await broker.ready()
            return broker, MqttSettings(
                host=login.address.host,
                port=login.address.port,
                username=login.username,
                password=login.password,
                client_id=client_id,
            )
        case ExternalBrokerConfig() as external:
            return None, MqttSettings(
                host=external.address.host,
                port=external.address.port,
                tls=external.tls,
                ca_file=external.ca_file,
                username=external.username or "",
                password=external.password.value if external.password else "",
                client_id=client_id,
            )


def _entrance(config: Config, *, port: int) -> Entrance:
    """`port`: where the broker listens in truth, also where any free one was asked for."""
    match config.mqtt.broker:
        case EmbeddedBrokerConfig() as embedded:
            listen, tls = Address(embedded.listen.host, port), False
        case ExternalBrokerConfig() as external:
            listen, tls = external.address, external.tls
    return Entrance(
        listen=listen,
        tls=tls,
        public_host=urlsplit(config.http.public_url or "").hostname or "",
        discovery_prefix=config.mqtt.home_assistant_prefix_of,
    )


def _dialects(config: MqttConfig) -> tuple[NativeDialect, HomeAssistantDialect]:
    return NativeDialect(), HomeAssistantDialect(prefix=config.home_assistant_prefix_of)


def _listen(address: Address) -> socket.socket:
    """A socket that listens there. Raises `ListenFailed`."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        raise ListenFailed(f"http.listen: {address} cannot be used: {error.strerror}") from error


@asynccontextmanager
async def _serving(app: web.Application, listener: socket.socket, config: HttpConfig) -> AsyncIterator[str]:
    """Serve `app`; gives its URL."""
    context = None
    if config.tls is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(config.tls.certificate, config.tls.key)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        await web.SockSite(runner, listener, ssl_context=context).start()
        host, port = runner.addresses[0][:2]
        logger.info("listening on %s", Address(host, port))
        yield f"{'https' if context else 'http'}://{Address(host, port)}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _serving_operators(app: web.Application, data_dir: Path) -> AsyncIterator[None]:
    """Serve those at a shell of this machine, beside `app`. Raises `ListenFailed`."""
    runner = web.AppRunner(operator_app(app), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        try:
            listener = listen_for_operators(data_dir)
        except OSError as error:
            raise ListenFailed(f"data_dir: no socket can be made in {data_dir}: {error.strerror}") from error
        await web.SockSite(runner, listener).start()
        yield
    finally:
        await runner.cleanup()
