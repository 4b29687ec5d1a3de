"""What a setting may be: how it is read, and why it is refused.

The text of a refusal stands behind the setting's own variable; it never shows what was set.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo
from pydantic_settings import NoDecode

from database.tls import verifying


def _several(value: Any) -> Any:
    """A list as it is written in one variable or file: apart by commas or white space."""
    if isinstance(value, str):
        return tuple(part for part in re.split(r"[,\s]+", value) if part)
    return value


def _http(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a URL begins with http:// or https:// and names a host")
    return url


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("a time zone is named like Europe/Berlin") from None
    return name


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _readable_authorities(file: Path, others: ValidationInfo) -> Path:
    if others.data.get("database_tls", "verify-full") != "verify-full":
        raise ValueError(
            "only PERDURE_DATABASE_TLS=verify-full looks at certificates: set that, or remove this"
        )
    try:
        verifying(file)
    except OSError as error:
        raise ValueError(f"holds no certificates that can be read ({error})") from None
    return file


def _not_told_in_the_clear(user: str, others: ValidationInfo) -> str:
    mail, tls, host = (others.data.get(name) for name in ("mail", "smtp_tls", "smtp_host"))
    if user and mail == "smtp" and tls == "none" and not _is_loopback(str(host)):
        raise ValueError(
            f"the password would reach {host} in the clear: set PERDURE_SMTP_TLS to starttls or "
            "tls, or remove this where the server wants no login"
        )
    return user


Port = Annotated[int, Field(ge=1, le=65535)]
Url = Annotated[str, AfterValidator(_http)]
Several = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_several)]
SeveralSecrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_several)]
Zone = Annotated[str, AfterValidator(_zone)]
Authorities = Annotated[Path, AfterValidator(_readable_authorities)]
"""A file of certificates: of no use, and so refused, where nobody is asked for one."""
MailLogin = Annotated[str, AfterValidator(_not_told_in_the_clear)]
"""A user of the mail server; the password goes with it, so that only loopback may be plain."""
