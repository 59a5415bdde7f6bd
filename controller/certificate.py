"""A certificate authority for one school's network, and server certificates under it.

Browsers give no camera without HTTPS, and a school's own network has no public name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """`authority` goes to every browser; `certificate` and `key` go into `http.tls` of config.yaml."""

    authority: Path  # PEM
    certificate: Path  # PEM: the server's, then the authority's
    key: Path  # PEM, readable by its owner only


def make_certificate(directory: Path, *, names: Sequence[str], now: datetime) -> CertificateFiles:
    """A server certificate for `names` (host names and IP addresses), under the authority in `directory`.

    The authority is made where there is none. Raises `CertificateError` and changes nothing when files do not belong together.
    """
    raise NotImplementedError
