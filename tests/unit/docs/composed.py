"""What the docs say of the composition: made from `docker-compose.yml`, and a word on each."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from tests.composition import command_of, composition, ours, services, waits_for

_SERVICES = {
    "postgres": "one server; a database and a role for us, two databases and a role for Temporal",
    "temporal-schema": "makes Temporal's tables, or brings them to the server's version",
    "temporal": "Temporal's server, all four roles in one process, visibility in SQL",
    "temporal-ui": "its Web UI",
    "migrations": "our tables are this release's",
    "namespace": "Temporal's namespace and its search attributes",
    "schedules": "the upkeep, and the nights",
    "worker": "onboardings, customers' lives, and the upkeep",
    "reconciliation": "nights and runs; it watches the folder of statements",
    "gateway": "the HTTP API and webhooks",
    "simulators": (
        "Stripe, a mailbox, two directories, a CRM, yente and a bank in miniature, to try it out"
    ),
}
_LIKEWISE = "**put {} here**, likewise"
_SECRETS = {
    "postgres_password": "the database's owner; used by nobody else",
    "database_password": "our role's",
    "temporal_database_password": "Temporal's role's",
    "actor_signing_key": "what it signs with who decides: an Ed25519 key",
    "actor_public_keys": "whose signatures count",
    "applicant_hash_key": "applicants are known again by hashes under it; keep it for good",
    "api_keys.json": "who may call: names, roles, and hashes of keys",
    "archive_access_key": (
        "with `PERDURE_ARCHIVE=s3`: **put your bucket's key here**; empty: the machine's own role"
    ),
    "archive_secret_key": "the same, the key itself",
    "confirmation_secrets": "what seals the links by which applicants confirm their address",
    "stripe_api_key": "**put Stripe's here**; what is made up works with the simulators only",
    "stripe_webhook_secrets": _LIKEWISE.format("Stripe's"),
    "directory_token": _LIKEWISE.format("your directory's"),
    "hubspot_token": _LIKEWISE.format("HubSpot's"),
    "yente_api_key": _LIKEWISE.format("OpenSanctions'"),
    "screening_key": "what parties are remembered by, without their names",
    "smtp_password": "**put your mail server's here**; empty for none",
}


def service_order() -> str:
    """Who waits for whom, as a diagram: whatever is not a job is waited for until it is healthy."""
    lines = ["```mermaid", "flowchart LR"]
    for name, service in services().items():
        kind = "job" if _is_job(service) else "profile" if "profiles" in service else ""
        lines.append(f'    {name}["{name}' + (f'<br/>({kind})"]' if kind else '"]'))
    after: dict[str, list[str]] = {}
    for name, service in services().items():
        if before := waits_for(service):
            after.setdefault(" & ".join(before), []).append(name)
    lines += [f"    {before} --> {' & '.join(names)}" for before, names in after.items()]
    return "\n".join([*lines, "```"])


def service_table() -> str:
    """Every service: what it is, what it runs, where it is published."""
    _all_told(_SERVICES, services())
    lines = ["| service | what it is | published at |", "|---|---|---|"]
    for name, said in _SERVICES.items():
        service = services()[name]
        runs = name in ours() and "entrypoint" not in service
        what = [
            *(["job"] if _is_job(service) else []),
            *([f"`{' '.join(command_of(service))}`"] if runs else []),
            said,
        ]
        lines.append(f"| `{name}` | {': '.join(what)} | {_published(service)} |")
    return "\n".join(lines)


def secret_table() -> str:
    """Every secret: which containers read it, and what is in it."""
    _all_told(_SECRETS, composition("simulators")["secrets"])
    lines = ["| file | who reads it | what is in it |", "|---|---|---|"]
    for file, what in _SECRETS.items():
        readers = [
            f"`{name}`" for name, one in services().items() if file in one.get("secrets", [])
        ]
        lines.append(f"| `{file}` | {', '.join(readers)} | {what} |")
    return "\n".join(lines)


def _all_told(told: Mapping[str, str], there: Mapping[str, Any]) -> None:
    assert told.keys() == there.keys(), (
        "docker-compose.yml has others than tests/unit/docs tells of"
    )


def _is_job(service: Mapping[str, Any]) -> bool:
    return bool(service["restart"].startswith("on-failure"))


def _published(service: Mapping[str, Any]) -> str:
    """Ports of this machine that follow each other are one range."""
    ports = sorted(int(one.split(":")[1]) for one in service.get("ports", []))
    if not ports:
        return "–"
    runs = [[port for _, port in run] for _, run in groupby(enumerate(ports), _place)]
    return ", ".join(
        f"127.0.0.1:{run[0]}" + (f" to {run[-1]}" if len(run) > 1 else "") for run in runs
    )


def _place(counted: tuple[int, int]) -> int:
    count, port = counted
    return port - count
