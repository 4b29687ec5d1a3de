"""How connections to our Postgres are encrypted, and whether it must prove who it is."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import quote

Tls = Literal["none", "require", "verify-full"]
"""`require` encrypts and believes whoever answers; `verify-full` wants a certificate for the host's
name by an authority that we trust."""

MODE, AUTHORITIES = "sslmode", "sslrootcert"
"""What a URL says after `?`, in the words of all of Postgres's clients."""
_PLAIN = "disable"


def in_url(tls: Tls, authorities: Path | None = None) -> str:
    """What a URL says of it.

    `authorities` is the file of those that may vouch for the server; without one, the machine's.
    """
    said = f"{MODE}={_PLAIN if tls == 'none' else tls}"
    return f"{said}&{AUTHORITIES}={quote(str(authorities), safe='')}" if authorities else said


def told(query: Mapping[str, str | tuple[str, ...]]) -> ssl.SSLContext | Literal[False]:
    """What a URL said of it, for the driver.

    Nothing means none: the driver would otherwise ask the environment. Raises ValueError for a mode
    that we do not know, OSError where the authorities cannot be read.
    """
    mode = query.get(MODE, _PLAIN)
    if mode == _PLAIN:
        return False
    if mode not in get_args(Tls):
        raise ValueError(f"{MODE} is one of {_PLAIN}, require and verify-full")
    if mode == "require":
        return _believing()
    authorities = query.get(AUTHORITIES)
    assert not isinstance(authorities, tuple), "one file"
    return verifying(authorities)


def verifying(authorities: Path | str | None) -> ssl.SSLContext:
    """Who answers must prove to be the host. Raises OSError where the file cannot be read."""
    return ssl.create_default_context(cafile=authorities)


def _believing() -> ssl.SSLContext:
    made = ssl.create_default_context()
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made
