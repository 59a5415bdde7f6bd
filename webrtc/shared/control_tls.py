"""TLS for a node's control interface with nothing to set up: both ends make one authority, out of the node's secret.

Whoever knows the secret may act as a controller, and as a node. So the secret can vouch for certificates as well:
nothing has to be copied, renewed or compared. The keys of a node's certificates live as long as its process.
"""

import ipaddress
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PURPOSE = b"nhipcau: the authority of a node's control interface"
KEY_SIZE = 32  # octets of an Ed25519 key (RFC 8032 5.1.5)
# No clock decides here: a key ends with its process (RFC 5280 4.1.2.5 has this for "no end").
BEGINS, ENDS = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def server_context(secret: str, hosts: Iterable[str]) -> ssl.SSLContext:
    """For the node. `hosts`: the names and IP addresses by which controllers reach it."""
    authority, key = _authority_key(secret), Ed25519PrivateKey.generate()
    certificate = (
        _builder("node", "authority", key.public_key())
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
        .sign(authority, None)
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with TemporaryDirectory() as folder:  # OpenSSL reads both from a file: private, and gone at once
        file = Path(folder, "node.pem")
        file.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + certificate.public_bytes(Encoding.PEM)
        )
        context.load_cert_chain(file)
    return context


def client_context(secrets: Iterable[str]) -> ssl.SSLContext:
    """For the controller: trusts nodes that know one of `secrets`, and what the system trusts, as for a proxy."""
    context = ssl.create_default_context()
    for secret in secrets:
        context.load_verify_locations(cadata=_authority(secret).public_bytes(Encoding.DER))
    return context


def _authority(secret: str) -> x509.Certificate:
    key = _authority_key(secret)
    usage = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return (
        _builder("authority", "authority", key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, None)
    )


def _authority_key(secret: str) -> Ed25519PrivateKey:
    derived = HKDF(algorithm=SHA256(), length=KEY_SIZE, salt=None, info=PURPOSE).derive(secret.encode())
    return Ed25519PrivateKey.from_private_bytes(derived)


def _builder(subject: str, issuer: str, key: Ed25519PublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGINS)
        .not_valid_after(ENDS)
    )


def _name(of: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Nhịp Cầu {of}")])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
