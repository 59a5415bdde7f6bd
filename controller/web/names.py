"""By which names we are asked. A page of a stranger's name that resolves to our address is no page of ours.

So DNS rebinding reaches nothing, not even what is open to all. Addresses cannot be rebound, and are always taken.
"""

import socket
from urllib.parse import urlsplit

from aiohttp import web
from cryptography import x509

from controller.config.model import HttpConfig
from controller.network import parse_address
from controller.web.errors import HostRefused
from controller.web.remote import is_trusted
from controller.web.services import Services

LOOPBACK = "localhost"


def known_names(config: HttpConfig) -> frozenset[str] | None:
    """What people may call this server: `public_url`, its certificate's names, this machine's. None: anything.

    Without a `public_url` nobody has said how it is called.
    """
    if config.public_url is None:
        return None
    names = {urlsplit(config.public_url).hostname or "", socket.gethostname(), LOOPBACK}
    if config.tls is not None:
        certificate = x509.load_pem_x509_certificate(config.tls.certificate.read_bytes())
        try:
            extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            names.update(extension.value.get_values_for_type(x509.DNSName))
        except x509.ExtensionNotFound:
            pass  # a certificate of old, with its name in the subject, which no browser takes any more
    return frozenset(name.lower().rstrip(".") for name in names)


def check_host(request: web.Request, services: Services) -> None:
    """Raises `HostRefused`. A proxy of ours has chosen by the name already, and may say its own."""
    host = host_of(request.host)
    if (
        services.names is None
        or parse_address(host) is not None
        or is_trusted(request.remote, services.trusted_proxies)
    ):
        return
    if host not in services.names and f"*.{host.partition('.')[2]}" not in services.names:
        raise HostRefused("this server is not called so; `http.public_url` of its configuration says how")


def host_of(authority: str) -> str:
    """Without the port: `[::1]:8080` is `::1`."""
    try:
        return (urlsplit(f"//{authority}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_loopback(authority: str) -> bool:
    """Whether a browser that says so is on this machine."""
    host = host_of(authority)
    address = parse_address(host)
    return host == LOOPBACK or (address is not None and address.is_loopback)
