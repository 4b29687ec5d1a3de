"""Settings of every process: environment variables `PERDURE_…`, a `.env` file, files with secrets.

Each setting is one field; its environment variable is `PERDURE_` and the field's name in capitals,
and a secret may instead lie in a file with the field's name in the folder `secrets` of the home
directory. The defaults are the laptop stack's.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from database.tls import Tls, in_url
from workers.obstacle import Obstacle
from workers.setting_types import (
    Authorities,
    MailLogin,
    Port,
    Several,
    SeveralSecrets,
    Url,
    Zone,
)

PREFIX = "PERDURE_"
_HOME = ".perdure"

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


class SettingsWrong(Obstacle):
    """A setting is missing or cannot be used. The text names its variable and the way out."""

    exit_code = 2


def simulated_directory(settings: Mapping[str, Any]) -> str:
    """Where the laptop's directory is, by the kind of directory that was chosen."""
    if settings["directory"] == "tenant_api":
        return f"http://127.0.0.1:{settings['tenant_api_simulator_port']}/v1"
    return f"http://127.0.0.1:{settings['directory_simulator_port']}/v2"


class Settings(BaseSettings):
    """What a process may be told from outside. Read it with `load`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True
    )

    home: Path
    """Where this clone keeps its state, logs and secrets."""

    database_host: str = "127.0.0.1"
    """Where our Postgres is."""
    database_port: Port = 8432
    """Its port."""
    database_user: str = "perdure"
    """The role that all processes have there; it owns the tables."""
    database_name: str = "perdure"
    """The database, which is ours alone."""
    database_password: SecretStr | None = None
    """The role's password."""
    database_tls: Tls = "none"
    """`require` and `verify-full` encrypt; `verify-full` alone also makes sure who answers."""
    database_ca_file: Authorities | None = None
    """With `verify-full`: whose certificates count, a PEM file; unset the machine's own list."""

    temporal_address: str = "127.0.0.1:7233"
    """Where Temporal is, unless Temporal's own environment configuration says otherwise."""
    temporal_namespace: str = "default"
    """Temporal's namespace, where its own configuration names none."""
    temporal_ui_port: Port = 8233
    """On a laptop: where the Web UI answers."""

    gateway_host: str = "127.0.0.1"
    """On which address the gateway listens; `0.0.0.0` is all of them."""
    gateway_port: Port = 8400
    """On which port it listens."""
    gateway_url: str = Field(
        default_factory=lambda others: f"http://127.0.0.1:{others['gateway_port']}"
    )
    """Where others reach the gateway."""
    gateway_rate: Annotated[float, Field(gt=0)] = 50
    """Requests a second that each API key may send to each gateway process; webhooks go free."""
    gateway_burst: Annotated[int, Field(ge=1)] = 100
    """How many of them may come at once, after a pause."""
    api_keys_file: Path = Field(
        default_factory=lambda others: others["home"] / "secrets" / "api_keys.json"
    )
    """Who may call the gateway: names, roles and the hashes of their keys."""
    actor_signing_key: SecretStr | None = None
    """The gateway signs who acts with it: an Ed25519 private key, its 32 bytes in base64."""
    actor_public_keys: Several = ()
    """Whose signatures workers accept: Ed25519 public keys, base64; several while keys change."""
    applicant_hash_key: SecretStr | None = None
    """Applicants are known again by hashes under it. With another key nobody is known again."""

    identity: Literal["stripe", "manual"] = "stripe"
    """Who finds out who applicants are: Stripe Identity, or a reviewer at the gateway."""
    billing: Literal["stripe", "invoice"] = "stripe"
    """Who keeps customers' accounts: Stripe, or our own database, for invoices."""
    stripe_api_key: SecretStr | None = None
    """What Stripe knows us by, for customers, identity and the account's movements."""
    stripe_api_base: Url | None = None
    """Where Stripe's API is; unset it is the real one."""
    stripe_webhook_secrets: SeveralSecrets = ()
    """Any of them may have signed a webhook; several while secrets change."""
    stripe_simulator_port: Port = 8401
    """On a laptop: where the simulator of Stripe answers."""
    simulated_clock: Url | None = None
    """On a laptop: where the simulators tell the time by which days and months are over."""

    directory: Literal["scim", "tenant_api"] = "scim"
    """Who keeps users and groups: a SCIM 2.0 service, or a plain API of tenants."""
    directory_simulator_port: Port = 8403
    """On a laptop: where the simulated SCIM service answers."""
    tenant_api_simulator_port: Port = 8405
    """On a laptop: where the simulated tenant API answers."""
    directory_url: Url = Field(default_factory=simulated_directory)
    """The root of the directory's service; unset it is the simulator's."""
    directory_token: SecretStr | None = None
    """What the directory lets us in by."""

    crm: Literal["hubspot", "csv"] = "hubspot"
    """Who keeps contacts and companies: HubSpot, or CSV files that a CRM imports."""
    crm_folder: Path = Field(default_factory=lambda others: others["home"] / "outbox" / "crm")
    """With `csv`: the folder of the files."""
    hubspot_api_base: Url | None = None
    """Where HubSpot's API is; unset it is the real one."""
    hubspot_token: SecretStr | None = None
    """What HubSpot lets us in by."""
    crm_simulator_port: Port = 8404
    """On a laptop: where the simulator of HubSpot answers."""

    spool: Path = Field(default_factory=lambda others: others["home"] / "spool")
    """Where uploads wait for the archive: a folder that gateways and workers share."""
    upload_limit: Annotated[int, Field(ge=1)] = 20 * 1024 * 1024
    """Bytes that one document may have."""
    statement_folder: Path = Field(default_factory=lambda others: others["home"] / "statements")
    """Where statement files of banks are dropped: the worker of reconciliation watches it."""
    statement_spool: Path = Field(default_factory=lambda others: others["home"] / "statement-spool")
    """Where statement files wait to be read: a folder that gateways and workers share."""
    statement_limit: Annotated[int, Field(ge=1)] = 200 * 1024 * 1024
    """Bytes that a statement file may have at the gateway; in the folder there is no limit."""
    archive: Literal["folder", "s3"] = "folder"
    """Where documents are kept: in a folder, or in a bucket of S3 or what speaks its protocol."""
    archive_folder: Path = Field(default_factory=lambda others: others["home"] / "archive")
    """With `folder`: which."""
    archive_bucket: str | None = None
    """With `s3`: the bucket."""
    archive_region: str = "eu-central-1"
    """With `s3`: the region that the bucket is in."""
    archive_endpoint: Url | None = None
    """With `s3`: where it is, unless it is Amazon's."""
    archive_access_key: SecretStr | None = None
    """With `s3`: the id of the key; without one the machine's own role is used."""
    archive_secret_key: SecretStr | None = None
    """With `s3`: the key itself."""
    screening: Literal["list", "yente"] = "list"
    """Who is asked about sanctions and public office: a list in a file, or a yente."""
    screening_list: Path | None = None
    """With `list`: the CSV file. There is none by default: nobody is cleared by mistake."""
    screening_key: SecretStr | None = None
    """What parties are hashed with, so that judgements are remembered without names."""
    yente_url: Url = "https://api.opensanctions.org"
    """Where yente's API is; by default it is OpenSanctions' own."""
    yente_dataset: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,100}$")] = "default"
    """Which of its datasets is asked."""
    yente_api_key: SecretStr | None = None
    """A yente of your own needs none."""
    yente_simulator_port: Port = 8406
    """On a laptop: where the simulator of yente answers."""
    bank_simulator_port: Port = 8407
    """On a laptop: where the simulator of a bank answers."""

    mail: Literal["smtp", "outbox"] = "smtp"
    """How letters go out: to a mail server, or into a folder that a mail system empties."""
    mail_folder: Path = Field(default_factory=lambda others: others["home"] / "outbox" / "mail")
    """With `outbox`: the folder of the letters."""
    smtp_host: str = "127.0.0.1"
    """With `smtp`: the mail server."""
    smtp_port: Port = 8425
    """Its port."""
    smtp_tls: Literal["none", "starttls", "tls"] = "none"
    """`starttls` and `tls` send nothing in the clear; `none` with a user is for loopback only."""
    smtp_user: MailLogin | None = None
    """What we log in as there; without it we do not."""
    smtp_password: SecretStr | None = None
    """The password for that."""
    mail_from: str = "Perdure <onboarding@example.com>"
    """Who mails come from; the domain is that of their Message-IDs, too."""
    operators_email: str = "operators@example.com"
    """Who is told that a process waits for somebody."""
    reviewers_email: str = "reviewers@example.com"
    """Who is reminded of reviews that wait for the role reviewer."""
    senior_reviewers_email: str = "senior-reviewers@example.com"
    """The same, for the role senior_reviewer."""
    nightly_at: time = time(2, 30)
    """When the night begins in which each account is reconciled for the day before: `02:30`."""
    nightly_zone: Zone = "UTC"
    """In which time zone; the day is that of each account's own."""
    nightly_jitter: timedelta = timedelta(minutes=5)
    """How much later it may begin, so that not everybody calls Stripe at once."""
    finance_email: str = "finance@example.com"
    """Who is told of a reconciliation that is not balanced."""
    mail_inbox_port: Port = 8402
    """On a laptop: where the mail inbox answers over HTTP."""

    confirmation_secrets: SeveralSecrets = ()
    """What is given to applicants, as links that confirm an address, is sealed with the first and
    accepted by any of them."""
    confirmation_page: str = Field(
        default_factory=lambda others: f"{others['gateway_url'].rstrip('/')}/confirm"
    )
    """Where these links lead to: the gateway's page, or one of your own."""

    api_key_service: SecretStr | None = None
    """What the command line calls the gateway with, as a service."""
    api_key_support: SecretStr | None = None
    """The same, as somebody who serves applicants."""
    api_key_reviewer: SecretStr | None = None
    """The same, as a reviewer."""
    api_key_reviewer_two: SecretStr | None = None
    """The same, as another reviewer: some applications take two."""
    api_key_senior_reviewer: SecretStr | None = None
    """The same, as a senior reviewer."""
    api_key_senior_reviewer_two: SecretStr | None = None
    """The same, as another senior reviewer."""
    api_key_finance_operator: SecretStr | None = None
    """The same, as somebody who keeps the books."""
    api_key_finance_approver: SecretStr | None = None
    """The same, as somebody who approves of what those who keep the books propose."""
    api_key_finance_approver_two: SecretStr | None = None
    """The same, as another one: nobody locks a month or reinstates a statement by themselves."""
    api_key_operator: SecretStr | None = None
    """The same, as an operator."""
    api_key_admin: SecretStr | None = None
    """The same, as an admin."""

    policy: Literal["production", "demo"] = "production"
    """How long things may take: a profile in `rules/policy.toml`. `demo` has seconds for days."""
    rules: Path = Path(__file__).parents[1] / "rules"
    """Where the business keeps its rules."""
    log_format: Literal["console", "json"] = "console"
    """Lines for people, or one JSON object each."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """What is logged: lines of this level and above."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then `.env`, then files with secrets."""
        assert isinstance(file_secret_settings, SecretsSettingsSource)
        # A file is named for its field, without the prefix.
        secrets = SecretsSettingsSource(
            settings_cls, secrets_dir=file_secret_settings.secrets_dir, env_prefix=""
        )
        return init_settings, env_settings, dotenv_settings, secrets

    @property
    def systems(self) -> dict[str, str]:
        """Which system has each capability."""
        return {
            "identity": self.identity,
            "billing": self.billing,
            "directory": self.directory,
            "crm": self.crm,
            "mail": self.mail,
            "archive": self.archive,
            "screening": self.screening,
        }

    @property
    def database_url(self) -> str:
        """`postgresql://…` as Postgres's clients read it; holds the password."""
        user, password, name = (
            quote(part, safe="")
            for part in (self.database_user, self.secret("database_password"), self.database_name)
        )
        place = f"{self.database_host}:{self.database_port}"
        tls = in_url(self.database_tls, self.database_ca_file)
        return f"postgresql://{user}:{password}@{place}/{name}?{tls}"

    def secret(self, name: SecretName) -> str:
        """A secret in plain. Raises SettingsWrong where it is not set."""
        value: SecretStr | None = getattr(self, name)
        if value is None:
            raise SettingsWrong(
                f"{variable(name)} is not set. Set it in the environment or in .env, or put it "
                f"into the file {self.home / 'secrets' / name}; on a laptop `perdure up` makes it."
            )
        return value.get_secret_value()

    def environment(self) -> dict[str, str]:
        """The settings that are no secrets, as variables for a process that we start."""
        return {
            variable(name): str(value)
            for name, value in self
            if value is not None and not isinstance(value, SecretStr | tuple)
        }


def variable(field: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + field.upper()


def load(**given: Any) -> Settings:
    """The settings of this process; `given` stands over everything.

    The home directory is `.perdure` in the root of the repository that the current directory is
    in, unless PERDURE_HOME names another. Raises SettingsWrong with every problem there is.
    """
    root = _repository()
    home = Path(given.pop("home", None) or os.environ.get(variable("home")) or root / _HOME)
    secrets = home / "secrets"
    try:
        _refuse_misspelt([*os.environ, *dotenv_values(root / ".env"), *map(variable, given)])
        return Settings(
            home=home.resolve(),
            _env_file=root / ".env",
            _secrets_dir=secrets if secrets.is_dir() else None,
            **given,
        )
    except ValidationError as error:
        problems = "\n".join(
            f"  {variable(str(problem['loc'][0]))}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
            if problem["type"] != "default_factory_not_called"
        )
        raise SettingsWrong(
            f"Settings that cannot be used (from the environment, {root / '.env'} or {secrets}):\n"
            f"{problems}"
        ) from None
    except (SettingsError, OSError) as error:
        raise SettingsWrong(f"Settings cannot be read: {error}") from error


def _repository() -> Path:
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "pyproject.toml").exists() or (folder / ".git").exists():
            return folder
    return here


def _refuse_misspelt(names: Iterable[str]) -> None:
    """A variable with our prefix that sets nothing would otherwise be overlooked in silence."""
    known = [variable(field) for field in Settings.model_fields]
    for name in names:
        if name.startswith(PREFIX) and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else "."
            raise SettingsWrong(f"There is no setting {name}{hint}")
