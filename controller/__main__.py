"""The command line: `nhipcau run`, and what an operator needs beside it."""

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from controller.app import running, utc_now
from controller.certificate import make_certificate
from controller.config import Address, Config, default_config
from controller.config_file import read_config
from controller.demo.demo import run_demo
from controller.errors import ConfigError, ControllerError
from controller.operator_commands import operation, table
from controller.people.people import People
from devices.errors import DevicesError
from rooms.errors import RoomsError
from rooms.store import open_store

USAGE_ERROR = 2
FAILURE = 1


def main() -> None:
    """Run one subcommand; exit code 2 for a wrong call or configuration, 1 for what went wrong later."""
    parser = _parser()
    arguments, rest = parser.parse_known_args()
    if rest and arguments.run is not _bridge:
        parser.error(f"unknown arguments: {' '.join(rest)}")
    arguments.rest = rest
    try:
        code = arguments.run(arguments)
    except* (ControllerError, RoomsError, DevicesError) as errors:
        for error in _leaves(errors):
            print(error if isinstance(error, ConfigError) else f"nhipcau: {error}", file=sys.stderr)
        code = USAGE_ERROR if any(isinstance(error, ValueError) for error in _leaves(errors)) else FAILURE
    except* KeyboardInterrupt:
        code = 128 + signal.SIGINT
    sys.exit(code)


def _leaves(errors: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in errors.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nhipcau", description="Smart classrooms, and lessons that join them.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run the controller")
    run.set_defaults(run=_run)
    check = commands.add_parser("check-config", help="say what is wrong with a configuration, exit code 2 if anything")
    check.set_defaults(run=_check_config)
    token = commands.add_parser("token", help="tokens for programs that use the HTTP API")
    create = token.add_subparsers(required=True, metavar="ACTION").add_parser("create", help="print a new token, once")
    create.add_argument("account", help="the name of the account whose rights the token has")
    create.add_argument("--label", default="command line", help="what it is for")
    create.add_argument("--days", type=int, help="how long it is good; for ever if not said")
    create.set_defaults(run=_create_token)
    setup = commands.add_parser("setup-link", help="print a new link for the first administrator")
    setup.set_defaults(run=_setup_link)
    nodes = commands.add_parser("nodes", help="list the bridge nodes: state, load, lessons")
    nodes.set_defaults(run=_nodes)
    drain = commands.add_parser("drain", help="have a bridge node give its lessons away and take no more")
    drain.add_argument("--wait", action="store_true", help="return once it has no lesson")
    drain.set_defaults(run=_drain)
    undrain = commands.add_parser("undrain", help="take a drained bridge node back into use")
    undrain.set_defaults(run=_undrain)
    for each in (drain, undrain):
        each.add_argument("node", metavar="NODE", help="its name, as `nhipcau nodes` has it")
    for each in (run, check, create, setup, nodes, drain, undrain):
        each.add_argument("--config", type=Path, default=Path("config.yaml"), help="default: ./config.yaml")

    certificate = commands.add_parser("certificate", help="make a local authority and a certificate for this server")
    certificate.add_argument("--dir", type=Path, required=True, help="where the files are, or will be")
    certificate.add_argument("--name", action="append", required=True, help="a host name or address of this server")
    certificate.set_defaults(run=_certificate)

    demo = commands.add_parser("demo", help="two simulated schools on this machine")
    demo.add_argument("--data-dir", type=Path, default=Path("var/demo"))
    demo.add_argument("--port", type=int, default=8080, help="another one is taken where this is in use")
    demo.set_defaults(run=_demo)

    bridge = commands.add_parser("bridge", help="run a bridge node on its own; `nhipcau bridge --help`", add_help=False)
    bridge.set_defaults(run=_bridge)
    return parser


def _config(path: Path) -> Config:
    """The configuration in `path`; the defaults where there is no `./config.yaml`. Raises `ConfigError`."""
    if path == Path("config.yaml") and not path.exists():
        return default_config(Path("var"))
    return read_config(path)


def _log_at(level: int) -> None:
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _run(arguments: argparse.Namespace) -> int:
    config = _config(arguments.config)
    _log_at(config.logging.level)
    asyncio.run(_serve(config))
    return 0


async def _serve(config: Config) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(config) as controller:
        gc.freeze()  # code, and what was restored, stays: looking through it would hold the loop for 70 ms and more
        print(f"Nhịp Cầu: {controller.url}", flush=True)
        secret = await controller.people.links.setup_secret()
        if secret is not None:
            print(f"First administrator (once): {controller.url}/setup?token={secret}", flush=True)
        await stop.wait()


def _check_config(arguments: argparse.Namespace) -> int:
    read_config(arguments.config)
    print(f"{arguments.config}: nothing to complain about")
    return 0


def _create_token(arguments: argparse.Namespace) -> int:
    print(asyncio.run(_new_token(_config(arguments.config), arguments)))
    return 0


async def _new_token(config: Config, arguments: argparse.Namespace) -> str:
    life = timedelta(days=arguments.days) if arguments.days else None
    async with open_store(config.database.url) as store:
        people = People.over(store, clock=utc_now)
        account = await people.accounts.named(arguments.account)
        _, token = await people.tokens.create(account.id, arguments.label, life=life, actor=_operator())
    return token


def _setup_link(arguments: argparse.Namespace) -> int:
    config = _config(arguments.config)
    secret = asyncio.run(_new_setup_secret(config))
    print(f"/setup?token={secret}" if secret else "there is an administrator already")
    return 0 if secret else FAILURE


async def _new_setup_secret(config: Config) -> str | None:
    async with open_store(config.database.url) as store:
        return await People.over(store, clock=utc_now).links.setup_secret()


def _nodes(arguments: argparse.Namespace) -> int:
    print(asyncio.run(_list_nodes(_config(arguments.config))))
    return 0


async def _list_nodes(config: Config) -> str:
    async with operation(config.data_dir) as controller:
        return table(await controller.nodes())


def _drain(arguments: argparse.Namespace) -> int:
    asyncio.run(_set_duty(_config(arguments.config), arguments.node, draining=True, wait=arguments.wait))
    return 0


def _undrain(arguments: argparse.Namespace) -> int:
    asyncio.run(_set_duty(_config(arguments.config), arguments.node, draining=False, wait=False))
    return 0


async def _set_duty(config: Config, node: str, *, draining: bool, wait: bool) -> None:
    async with operation(config.data_dir) as controller:
        await controller.drain(node, draining)
        if wait:
            await controller.emptied(node, say=lambda left: print(left, file=sys.stderr, flush=True))


def _operator() -> str:
    return f"operator {os.environ.get('USER', os.getuid())}"


def _certificate(arguments: argparse.Namespace) -> int:
    files = make_certificate(arguments.dir, names=arguments.name, now=utc_now())
    print(f"authority, to be trusted by the room PCs' browsers: {files.authority}")
    print(f"  its SHA-256 fingerprint: {files.fingerprint}")
    print(f"http.tls.certificate: {files.certificate}")
    print(f"http.tls.key: {files.key}")
    print(f"good until {files.expires:%Y-%m-%d}{'' if files.issued else '; left as it was'}")
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    _log_at(logging.WARNING)
    asyncio.run(run_demo(arguments.data_dir.resolve(), Address("127.0.0.1", arguments.port)))
    return 0


def _bridge(arguments: argparse.Namespace) -> int:
    """Become the node: the controller itself must start fast, so it does not import the media plane."""
    os.execv(sys.executable, [sys.executable, "-m", "webrtc.node", *arguments.rest])


if __name__ == "__main__":
    main()
