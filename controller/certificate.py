"""A certificate authority for one school's network, and server certificates under it.

Browsers give no camera without HTTPS, and a school's own network has no public name. The authority's certificate is
installed once in every browser; its key signs only here.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from controller.errors import CertificateError
from controller.small_file import write_small

AUTHORITY_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=397)  # the longest that all browsers accept (CA/Browser Forum, ballot SC31)
RENEW_BEFORE = timedelta(days=60)
_CLOCK_SKEW = timedelta(days=1)  # room PCs with a flat clock battery


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """`authority` goes to every browser; `certificate` and `key` go into `http.tls` of config.yaml."""

    authority: Path  # PEM
    certificate: Path  # PEM: the server's, then the authority's
    key: Path  # PEM, readable by its owner only
    fingerprint: str  # the authority's, SHA-256 in hex with colons, to compare when it is installed
    expires: datetime  # the server certificate's end
    issued: bool  # False: what is there is good, and was left as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class _Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_certificate(directory: Path, *, names: Sequence[str], now: datetime) -> CertificateFiles:
    """A server certificate for `names` (host names and IP addresses), under the authority in `directory`.

    Makes the authority where there is none, and never replaces it. The server's files are replaced only when they end
    within 60 days or are for other names; call it again to renew. Raises `CertificateError`, having changed nothing,
    for impossible names or files that do not match.
    """
    alternatives = _alternative_names(names)
    authority_file, certificate_file = directory / "authority.pem", directory / "server.pem"
    key_file = directory / "server.key"
    directory.mkdir(parents=True, exist_ok=True)
    authority = _authority(authority_file, directory / "authority.key", now)
    current = _current_server(certificate_file, key_file, authority)
    issued = current is None or not _is_good(current, alternatives, now)
    if current is None or issued:
        current = _issue(authority, alternatives, certificate_file, key_file, now)
    return CertificateFiles(
        authority=authority_file,
        certificate=certificate_file,
        key=key_file,
        fingerprint=authority.certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
        expires=current.not_valid_after_utc,
        issued=issued,
    )


def _alternative_names(names: Sequence[str]) -> list[x509.GeneralName]:
    if not names:
        raise CertificateError("a certificate needs one name at least: the address that people type")
    alternatives: list[x509.GeneralName] = []
    for name in dict.fromkeys(names):
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            alternatives.append(_dns_name(name))
    return alternatives


def _dns_name(name: str) -> x509.DNSName:
    labels = name.removeprefix("*.").split(".")
    if not all(label.replace("-", "").isalnum() and label.isascii() and len(label) < 64 for label in labels):
        raise CertificateError(f"{name!r} is neither an IP address nor a host name in ASCII (write xn--... for others)")
    return x509.DNSName(name.lower())


def _authority(certificate_file: Path, key_file: Path, now: datetime) -> _Authority:
    if certificate_file.exists() != key_file.exists():
        missing = key_file if certificate_file.exists() else certificate_file
        raise CertificateError(f"{missing} is missing; put it back, or begin in an empty directory")
    if not certificate_file.exists():
        return _make_authority(certificate_file, key_file, now)
    authority = _Authority(certificate=_read_certificate(certificate_file), key=_read_key(key_file))
    if authority.certificate.public_key() != authority.key.public_key():
        raise CertificateError(f"{key_file} is not the key of {certificate_file}")
    if authority.certificate.not_valid_after_utc < now + SERVER_LIFE:
        raise CertificateError(f"{certificate_file} ends soon; begin in an empty directory and install the new one")
    return authority


def _make_authority(certificate_file: Path, key_file: Path, now: datetime) -> _Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Nhịp Cầu {now:%Y-%m-%d %H:%M}")])
    certificate = (
        _builder(name, name, key, now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(key_file, _pem_key(key), mode=0o600)
    _write(certificate_file, _pem(certificate), mode=0o644)
    return _Authority(certificate=certificate, key=key)


def _current_server(certificate_file: Path, key_file: Path, authority: _Authority) -> x509.Certificate | None:
    """The server certificate that is there. Raises `CertificateError` for one we did not make: not ours to replace."""
    if not certificate_file.exists() and not key_file.exists():
        return None
    if not certificate_file.exists() or not key_file.exists():
        there = certificate_file if certificate_file.exists() else key_file
        raise CertificateError(f"{there} stands alone; move it away first")
    certificate = _read_certificate(certificate_file)
    if certificate.issuer != authority.certificate.subject:
        raise CertificateError(f"{certificate_file} is from another authority; move it away first")
    # A crash between the two renames of a renewal leaves the new key beside the old certificate: issue again.
    return certificate if certificate.public_key() == _read_key(key_file).public_key() else None


def _is_good(certificate: x509.Certificate, alternatives: list[x509.GeneralName], now: datetime) -> bool:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return list(names) == alternatives and certificate.not_valid_after_utc > now + RENEW_BEFORE


def _issue(
    authority: _Authority,
    alternatives: list[x509.GeneralName],
    certificate_file: Path,
    key_file: Path,
    now: datetime,
) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(alternatives[0].value)[:64])])
    certificate = (
        _builder(name, authority.certificate.subject, key, now, SERVER_LIFE)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),  # RFC 5280 4.2.1.1
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )
    _write(key_file, _pem_key(key), mode=0o600)
    _write(certificate_file, _pem(certificate) + _pem(authority.certificate), mode=0o644)
    return certificate


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now - _CLOCK_SKEW + life)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read_certificate(file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError) as error:
        raise CertificateError(f"{file} cannot be read as a PEM certificate") from error


def _read_key(file: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise CertificateError(f"{file} cannot be read as an unencrypted PEM key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateError(f"{file} is not one of our keys (EC P-256); move it away first")
    return key


def _write(file: Path, content: bytes, *, mode: int) -> None:
    try:
        write_small(file, content, mode=mode, durable=True)
    except OSError as error:
        raise CertificateError(f"{file} cannot be written: {error.strerror}") from error
