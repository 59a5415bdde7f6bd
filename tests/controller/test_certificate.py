"""Certificates verify in a real TLS handshake, and what is there is never lost."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.certificate import SERVER_LIFE, CertificateFiles, make_certificate
from controller.errors import CertificateError

NOW = datetime.now(UTC)


async def handshake(files: CertificateFiles, *, name: str) -> str:
    """Greet a TLS server under `name` with only the authority trusted."""
    server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_tls.load_cert_chain(files.certificate, files.key)

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\n")
        writer.close()
        await writer.wait_closed()

    client_tls = ssl.create_default_context(cafile=str(files.authority))
    client_tls.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=server_tls) as server, asyncio.timeout(20):
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_tls, server_hostname=name)
        greeting = (await reader.read()).decode()
        writer.close()
        await writer.wait_closed()
        return greeting


@pytest.mark.parametrize("name", ["phong-1.truong.lan", "192.168.1.10", "::1"])
async def test_handshake_verifies_with_the_authority(tmp_path: Path, name: str) -> None:
    files = make_certificate(tmp_path, names=["phong-1.truong.lan", "192.168.1.10", "::1"], now=NOW)
    assert await handshake(files, name=name) == "hello\n"


async def test_other_name_is_refused(tmp_path: Path) -> None:
    files = make_certificate(tmp_path, names=["phong-1.truong.lan"], now=NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        await handshake(files, name="phong-2.truong.lan")


def test_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    make_certificate(tmp_path, names=["a.lan"], now=NOW)
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert modes == {"authority.pem": 0o644, "authority.key": 0o600, "server.pem": 0o644, "server.key": 0o600}


def contents(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def test_second_call_leaves_good_files_alone(tmp_path: Path) -> None:
    first = make_certificate(tmp_path, names=["a.lan"], now=NOW)
    before = contents(tmp_path)
    second = make_certificate(tmp_path, names=["a.lan"], now=NOW + timedelta(days=300))
    assert (first.issued, second.issued) == (True, False)
    assert (first.fingerprint, first.expires) == (second.fingerprint, second.expires)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(("names", "days"), [(["a.lan"], 350), (["a.lan", "b.lan"], 1)])
async def test_ending_or_renamed_certificate_is_renewed_under_the_same_authority(
    tmp_path: Path, names: list[str], days: int
) -> None:
    first = make_certificate(tmp_path, names=["a.lan"], now=NOW)
    authority = first.authority.read_bytes()
    second = make_certificate(tmp_path, names=names, now=NOW + timedelta(days=days))
    assert second.issued
    assert second.authority.read_bytes() == authority
    assert second.expires - first.expires == timedelta(days=days)
    assert first.expires <= NOW + SERVER_LIFE


async def test_renewal_cut_between_its_two_files_is_made_again(tmp_path: Path) -> None:
    make_certificate(tmp_path, names=["a.lan"], now=NOW)
    old = (tmp_path / "server.pem").read_bytes()
    make_certificate(tmp_path, names=["b.lan"], now=NOW)
    (tmp_path / "server.pem").write_bytes(old)
    files = make_certificate(tmp_path, names=["a.lan"], now=NOW)
    assert await handshake(files, name="a.lan") == "hello\n"


@pytest.mark.parametrize("missing", ["authority.pem", "authority.key", "server.pem", "server.key"])
def test_half_a_pair_is_refused_and_nothing_changes(tmp_path: Path, missing: str) -> None:
    make_certificate(tmp_path, names=["a.lan"], now=NOW)
    (tmp_path / missing).unlink()
    before = contents(tmp_path)
    with pytest.raises(CertificateError):
        make_certificate(tmp_path, names=["a.lan"], now=NOW)
    assert contents(tmp_path) == before


def test_certificate_of_another_authority_is_never_replaced(tmp_path: Path) -> None:
    make_certificate(tmp_path, names=["a.lan"], now=NOW)
    make_certificate(tmp_path / "other", names=["a.lan"], now=NOW + timedelta(minutes=1))
    for name in ("server.pem", "server.key"):
        (tmp_path / "other" / name).replace(tmp_path / name)
    before = (tmp_path / "server.pem").read_bytes()
    with pytest.raises(CertificateError, match="another authority"):
        make_certificate(tmp_path, names=["b.lan"], now=NOW)
    assert (tmp_path / "server.pem").read_bytes() == before


@pytest.mark.parametrize("names", [[], [""], ["trường.lan"], ["a b"], ["https://a.lan"], ["192.168.1.0/24"]])
def test_impossible_names_are_refused_before_anything_is_made(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(CertificateError):
        make_certificate(tmp_path / "new", names=names, now=NOW)
    assert not (tmp_path / "new").exists()
