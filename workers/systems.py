"""Which system does what: for each capability one maker of each system that can have it.

The names are those that the settings offer. A maker reads only the settings of its own system.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from connectors import archive_folder, outbox, s3
from connectors.archive_folder import FolderArchive
from connectors.capabilities import (
    Archive,
    Billing,
    Crm,
    Directory,
    EventFeed,
    Identity,
    Mail,
    Screening,
)
from connectors.csv_export import CsvCrm
from connectors.drop_folder import DropFolder
from connectors.folder import Folder
from connectors.http_api import HttpApi
from connectors.hubspot import errors as hubspot_errors
from connectors.hubspot.crm import API_BASE as HUBSPOT
from connectors.hubspot.crm import HubSpotCrm
from connectors.invoicing import InvoiceBilling
from connectors.local_list import ListUnreadable, LocalList
from connectors.manual_identity import ManualIdentity, NothingOutside
from connectors.outbox import OutboxMail
from connectors.s3 import S3Archive
from connectors.scim import errors as scim_errors
from connectors.scim.directory import ScimDirectory
from connectors.smtp import SmtpMail
from connectors.stripe.api import StripeApi
from connectors.stripe.billing import StripeBilling
from connectors.stripe.events import StripeEvents
from connectors.stripe.identity import StripeIdentity
from connectors.tenant_api import errors as tenant_errors
from connectors.tenant_api.directory import TenantDirectory
from connectors.yente import errors as yente_errors
from connectors.yente.screening import YenteScreening
from database.identity_sessions import IdentitySessions
from database.invoice_accounts import Accounts
from database.spool import Spool
from workers.settings import SecretName, Settings, SettingsWrong, variable


@dataclass(frozen=True)
class Asking:
    """What makers are given of systems that are only asked. What they open `closing` closes.

    `patience` is how many seconds one call outside may take.
    """

    settings: Settings
    patience: float
    closing: AsyncExitStack

    def http(self, no_answer: str, url: str, token: SecretName) -> HttpApi:
        """A way to a system that speaks JSON."""
        api = HttpApi(no_answer, url, self.settings.secret(token), timeout=self.patience)
        self.closing.push_async_callback(api.close)
        return api


@dataclass(frozen=True)
class Making(Asking):
    """What makers are given of systems in which something is made."""

    engine: AsyncEngine

    @cached_property
    def stripe(self) -> StripeApi:
        """One way to Stripe for all that is Stripe's; its key is asked for only then."""
        settings = self.settings
        api = StripeApi(
            settings.secret("stripe_api_key"),
            base_url=settings.stripe_api_base,
            timeout=self.patience,
        )
        self.closing.push_async_callback(api.close)
        return api


def _scim(making: Making) -> Directory:
    url = making.settings.directory_url
    return ScimDirectory(making.http(scim_errors.NO_ANSWER, url, "directory_token"))


def _tenant_api(making: Making) -> Directory:
    url = making.settings.directory_url
    return TenantDirectory(making.http(tenant_errors.NO_ANSWER, url, "directory_token"))


def _hubspot(making: Making) -> Crm:
    url = making.settings.hubspot_api_base or HUBSPOT
    return HubSpotCrm(making.http(hubspot_errors.NO_ANSWER, url, "hubspot_token"))


def _csv(making: Making) -> Crm:
    folder = making.settings.crm_folder
    crm = CsvCrm(folder, patience=making.patience)
    _prepared(crm.prepare, "crm_folder", folder)
    return crm


def _smtp(making: Making) -> Mail:
    settings = making.settings
    password = settings.smtp_password
    return SmtpMail(
        settings.smtp_host,
        settings.smtp_port,
        sender=settings.mail_from,
        tls=settings.smtp_tls,
        user=settings.smtp_user,
        password=password.get_secret_value() if password else None,
        timeout=making.patience,
    )


def _outbox(making: Making) -> Mail:
    path = making.settings.mail_folder
    folder = DropFolder(path, no_answer=outbox.NO_ANSWER, patience=making.patience)
    _prepared(folder.prepare, "mail_folder", path)
    return OutboxMail(folder, sender=making.settings.mail_from)


def _folder(asking: Asking) -> Archive:
    path = asking.settings.archive_folder
    folder = Folder(path, no_answer=archive_folder.NO_ANSWER, patience=asking.patience)
    _prepared(folder.prepare, "archive_folder", path)
    return FolderArchive(folder)


def _s3(asking: Asking) -> Archive:
    settings = asking.settings
    if settings.archive_bucket is None:
        raise SettingsWrong(f"{variable('archive_bucket')} is not set: documents go to a bucket.")
    keys = [settings.archive_access_key, settings.archive_secret_key]
    access_key, secret_key = ((one.get_secret_value() if one else "") or None for one in keys)
    bucket = s3.bucket(
        settings.archive_bucket,
        region=settings.archive_region,
        endpoint=settings.archive_endpoint,
        access_key=access_key,
        secret_key=secret_key,
        patience=asking.patience,
    )
    return S3Archive(bucket, patience=asking.patience)


def spool(settings: Settings) -> Spool:
    """Where uploads wait, ready to be used. Raises SettingsWrong."""
    made = Spool(settings.spool)
    _prepared(made.prepare, "spool", settings.spool)
    return made


def statement_spool(settings: Settings) -> Spool:
    """Where statement files wait to be read, ready to be used. Raises SettingsWrong."""
    made = Spool(settings.statement_spool)
    _prepared(made.prepare, "statement_spool", settings.statement_spool)
    return made


def _list(asking: Asking) -> Screening:
    file = asking.settings.screening_list
    name = variable("screening_list")
    if file is None:
        raise SettingsWrong(
            f"{name} is not set: it names the CSV file of the list that applicants are screened "
            "against. docs/systems.md says what it looks like."
        )
    found = LocalList(file)
    try:
        found.prepare()
    except OSError as error:
        raise SettingsWrong(f"{name}: {file} cannot be read ({error.strerror}).") from error
    except ListUnreadable as error:
        raise SettingsWrong(f"{name}: {error}.") from error
    return found


def _yente(asking: Asking) -> Screening:
    settings = asking.settings
    key = settings.yente_api_key
    api = HttpApi(
        yente_errors.NO_ANSWER,
        settings.yente_url,
        key.get_secret_value() if key else None,
        timeout=asking.patience / _ASKED_TWICE,
        scheme="ApiKey",
    )
    asking.closing.push_async_callback(api.close)
    return YenteScreening(api, settings.yente_dataset)


_ASKED_TWICE = 2
"""A screening asks for the list's version, then for who is on it."""

IDENTITY: Mapping[str, Callable[[Making], Identity]] = {
    "stripe": lambda making: StripeIdentity(making.stripe),
    "manual": lambda making: ManualIdentity(IdentitySessions(making.engine)),
}
EVENTS: Mapping[str, Callable[[Making], EventFeed]] = {
    "stripe": lambda making: StripeEvents(making.stripe),
    "manual": lambda _: NothingOutside(),
}
"""What happened at whoever finds out who applicants are."""
BILLING: Mapping[str, Callable[[Making], Billing]] = {
    "stripe": lambda making: StripeBilling(making.stripe),
    "invoice": lambda making: InvoiceBilling(Accounts(making.engine)),
}
DIRECTORY: Mapping[str, Callable[[Making], Directory]] = {
    "scim": _scim,
    "tenant_api": _tenant_api,
}
CRM: Mapping[str, Callable[[Making], Crm]] = {"hubspot": _hubspot, "csv": _csv}
MAIL: Mapping[str, Callable[[Making], Mail]] = {"smtp": _smtp, "outbox": _outbox}
ARCHIVE: Mapping[str, Callable[[Asking], Archive]] = {"folder": _folder, "s3": _s3}
"""Gateways have one, too, for those who may read what is in it; they know no other system."""
SCREENING: Mapping[str, Callable[[Asking], Screening]] = {"list": _list, "yente": _yente}


def _prepared(prepare: Callable[[], None], setting: str, folder: Path) -> None:
    try:
        prepare()
    except OSError as error:
        raise SettingsWrong(
            f"{variable(setting)}: {folder} cannot be used ({error.strerror}). It wants a folder "
            "that this process may write to, on a file system that has hard links."
        ) from error
