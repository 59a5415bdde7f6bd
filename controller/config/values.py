"""Single values of `config.yaml`: one function each from an `Item` to the value.

Each raises `ValueError` saying what to write instead. What may hold a secret is not repeated in the message.
"""

import ipaddress
import logging
import os
import re
from datetime import timedelta
from urllib.parse import SplitResult, urlsplit

from controller.config.model import Address
from controller.config.yaml_reader import Item
from controller.network import IPAddress, IPNetwork, parse_address, plain_network
from webrtc.shared.turn import is_turn_url

MAX_LOCAL_NODES = 64

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}


def listen(item: Item) -> Address:
    text = item.text("127.0.0.1:8080")
    return Address("127.0.0.1", 0) if text == "auto" else _address(text, default_port=None)


def _address(text: str, *, default_port: int | None) -> Address:
    advice = "must be HOST:PORT, e.g. 127.0.0.1:8080 (port 0: a free one)"
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(advice) from error
    port = default_port if port is None else port
    if host is None or port is None or parts.netloc != text or "@" in text:
        raise ValueError(advice)
    if ":" not in host and not _HOST.fullmatch(host):
        raise ValueError(advice)
    return Address(host, port)


def broker(item: Item) -> tuple[str, Address] | None:
    """None stands for `embedded`; otherwise the scheme and where the broker is."""
    text = item.text("embedded")
    if text == "embedded":
        return None
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in _MQTT_PORTS:
        raise ValueError("must be embedded or mqtts://HOST:PORT (mqtt:// without TLS)")
    if "@" in rest:
        raise ValueError("has a name in it; write `username` and `password: {file: path}` as keys of their own")
    address = _address(rest, default_port=_MQTT_PORTS[scheme])
    if address.port == 0:
        raise ValueError("must name the broker's port, e.g. mqtts://mqtt.example.edu.vn:8883")
    return scheme, address


def discovery_prefix(item: Item) -> str:
    prefix = item.text("sc/1/{school}/ha").strip("/")
    if any(character in prefix for character in "+#$") or re.search(r"[{}\s]", prefix.replace("{school}", "")):
        raise ValueError("must be the beginning of an MQTT topic without + # $ or spaces, e.g. sc/1/{school}/ha")
    return prefix


def public_url(item: Item) -> str:
    example = "https://nhipcau.example.edu.vn"
    parts = _web_url(item, example)
    if parts.path not in ("", "/"):
        raise ValueError(f"must end after the host: the pages stand at the top, e.g. {example}")
    return f"{parts.scheme}://{parts.netloc}"


def node_url(item: Item) -> str:
    parts = _web_url(item, "https://10.0.0.7:7880")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def node_count(item: Item) -> int:
    """`auto`: a node for each processor core that we may use, but for one that is left to everything else."""
    if item.is_text("auto"):
        return min(max(1, len(os.sched_getaffinity(0)) - 1), MAX_LOCAL_NODES)
    return item.integer(minimum=1, maximum=MAX_LOCAL_NODES)


def _web_url(item: Item, example: str) -> SplitResult:
    advice = f"must be an address that begins with https:// or http://, e.g. {example}"
    try:
        parts = urlsplit(item.text(example))
        _ = parts.port  # raises where it is not a number
    except ValueError as error:
        raise ValueError(advice) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError(advice)
    if parts.query or parts.fragment:
        raise ValueError(f"must have no ? or # part, e.g. {example}")
    return parts


def network(item: Item) -> IPNetwork:
    text = item.text("10.0.0.0/8")
    try:
        return plain_network(ipaddress.ip_network(text))
    except ValueError as error:
        raise ValueError(f"must be an IP address or network, e.g. 127.0.0.1 or 10.0.0.0/8, not {text}") from error


def advertised(item: Item) -> IPAddress:
    text = item.text("192.168.1.10")
    address = parse_address(text)
    if address is None or "%" in text:
        raise ValueError(f"must be an IP address that browsers can reach, e.g. 192.168.1.10, not {text}")
    if address.is_unspecified or address.is_multicast:
        raise ValueError(f"must be one machine's IP address, not {text}")
    return address


def turn_url(item: Item) -> str:
    example = "turn:turn.example.edu.vn:3478?transport=udp"
    text = item.text(example)
    if not is_turn_url(text):
        raise ValueError(f"must be turn:HOST:PORT or turns:HOST:PORT, with ?transport=udp or tcp, e.g. {example}")
    return text


def hours(item: Item, *, least: int, most: int) -> timedelta:
    return timedelta(hours=item.number(minimum=least, maximum=most))


def minutes(item: Item, *, most: int) -> timedelta:
    return timedelta(minutes=item.number(minimum=0, maximum=most))


def level(item: Item) -> int:
    level = _LEVELS.get(item.text("info").lower())
    if level is None:
        raise ValueError(f"must be one of {', '.join(_LEVELS)}")
    return level
