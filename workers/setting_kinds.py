"""What a setting can be: kinds of values, and the names of secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

SecretName = Literal[
    "database_password",
    "stripe_api_key",
    "directory_token",
    "hubspot_token",
    "yente_api_key",
    "screening_key",
    "smtp_password",
    "actor_signing_key",
    "applicant_hash_key",
    "api_key_service",
    "api_key_support",
    "api_key_reviewer",
    "api_key_reviewer_two",
    "api_key_senior_reviewer",
    "api_key_senior_reviewer_two",
    "api_key_finance_operator",
    "api_key_finance_approver",
    "api_key_finance_approver_two",
    "api_key_operator",
    "api_key_admin",
]


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


Port = Annotated[int, Field(ge=1, le=65535)]
Url = Annotated[str, AfterValidator(_http)]
Zone = Annotated[str, AfterValidator(_zone)]
Several = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_several)]
SeveralSecrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_several)]


def is_loopback(host: str) -> bool:
    """Whether what is sent there stays on this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def simulated_directory(settings: Mapping[str, Any]) -> str:
    """Where the laptop's directory is, by the kind of directory that was chosen."""
    if settings["directory"] == "tenant_api":
        return f"http://127.0.0.1:{settings['tenant_api_simulator_port']}/v1"
    return f"http://127.0.0.1:{settings['directory_simulator_port']}/v2"
