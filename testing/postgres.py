"""A real PostgreSQL for tests: its own data directory, on loopback, gone at the end."""

import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

START_TIMEOUT_S = 60
_DEBIAN = Path("/usr/lib/postgresql")
_UNPRIVILEGED = "postgres"  # PostgreSQL refuses to run as root; Debian's package makes this user


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """A running server that trusts whoever comes over loopback."""

    port: int
    control: tuple[object, ...]  # `pg_ctl` with what it must know of this server

    def stop(self) -> None:
        """End it as a power cut would; nothing happens where it has ended already."""
        _run(*self.control, "-m", "immediate", "stop", may_fail=True)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of an empty database, dropped at the end with whoever is still connected."""
        name = f"nhipcau_{secrets.token_hex(6)}"
        with self._administer() as administrator:
            administrator.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield f"postgresql://{_UNPRIVILEGED}@127.0.0.1:{self.port}/{name}"
        finally:
            with self._administer() as administrator:
                administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @staticmethod
    def clear(url: str) -> None:
        """Leave the database at `url` with its tables and no rows, and end whoever is still connected to it."""
        with psycopg.connect(url, autocommit=True) as db:
            db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            tables = db.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            ).fetchall()
            db.execute("SET session_replication_role = replica")  # in any order, whatever refers to them
            for (table,) in tables:
                db.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))

    def _administer(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(host="127.0.0.1", port=self.port, user=_UNPRIVILEGED, dbname="postgres", autocommit=True)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server; stop it and remove its files at the end. Raises `FileNotFoundError` where none is installed."""
    binaries = _binaries()
    # Not pytest's own directory: only its owner may look into that, and the server runs as somebody else.
    with tempfile.TemporaryDirectory(prefix="nhipcau-postgres-", ignore_cleanup_errors=True) as directory:
        data = Path(directory) / "data"
        if os.geteuid() == 0:
            owner = pwd.getpwnam(_UNPRIVILEGED)
            os.chown(directory, owner.pw_uid, owner.pw_gid)
        _run(binaries / "initdb", "-D", data, "-U", _UNPRIVILEGED, "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        port = _free_port()
        options = f"-p {port} -k {directory} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=50"
        control = (binaries / "pg_ctl", "-D", data, "-w", "-t", START_TIMEOUT_S)
        _run(*control, "-l", Path(directory) / "log", "-o", options, "start")
        server = PostgresServer(port=port, control=control)
        try:
            yield server
        finally:
            server.stop()


def _binaries() -> Path:
    """Where `initdb` and `pg_ctl` are: the newest of Debian's, or on the path."""
    debian = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda each: int(re.sub(r"\D", "", each.parts[-3]) or 0))
    found = str(debian[-1]) if debian else shutil.which("initdb")
    if found is None:
        raise FileNotFoundError(
            f"PostgreSQL is missing: no initdb in {_DEBIAN}/*/bin nor on the path (Debian: apt-get install postgresql)"
        )
    return Path(found).resolve().parent


def _run(*command: object, may_fail: bool = False) -> None:
    words = [str(each) for each in command]
    if os.geteuid() == 0:
        words = ["runuser", "-u", _UNPRIVILEGED, "--", *words]
    # The server must not inherit our pipes, or they would never end.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            words, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=START_TIMEOUT_S, check=False
        )
        if done.returncode != 0 and not may_fail:
            output.seek(0)
            raise RuntimeError(f"{words} ended with {done.returncode}: {output.read()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
