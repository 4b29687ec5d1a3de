"""What `docker-compose.yml` names exists, and is named with care."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.core import TyperGroup

from simulators.__main__ import _parser as simulators_parser
from tests.composition import (
    ENVIRONMENTS,
    FILE,
    ROOT,
    command_of,
    composition,
    env_file,
    ours,
    services,
    variables,
    waits_for,
)
from workers import deployment_secrets, health
from workers.cli import app
from workers.settings import Settings, variable

DONE, HEALTHY = "service_completed_successfully", "service_healthy"
COMPOSE = shutil.which("docker-compose")
# What others' images read, as their own sources have it.
FOREIGN = {
    "postgres": {"POSTGRES_PASSWORD_FILE"},
    "temporal-schema": {"SQL_PLUGIN", "SQL_HOST", "SQL_PORT", "SQL_USER"},
    "temporal": {
        *("DB", "DB_PORT", "DBNAME", "VISIBILITY_DBNAME", "POSTGRES_SEEDS", "POSTGRES_USER"),
        *("NUM_HISTORY_SHARDS", "BIND_ON_IP", "DYNAMIC_CONFIG_FILE_PATH"),
    },
    "temporal-ui": {
        *("TEMPORAL_ADDRESS", "TEMPORAL_DEFAULT_NAMESPACE", "TEMPORAL_UI_PORT"),
        *("TEMPORAL_CORS_ORIGINS", "TEMPORAL_NOTIFY_ON_NEW_VERSION"),
    },
}
# Of Temporal's environment configuration, which `workers.temporal_client` reads.
TEMPORALS = {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"}

every_service = pytest.mark.parametrize("name", services())
every_one_of_ours = pytest.mark.parametrize("name", ours())


def is_a_job(name: str) -> bool:
    return str(services()[name]["restart"]).startswith("on-failure")


@pytest.mark.skipif(COMPOSE is None, reason="there is no docker-compose here")
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_docker_compose_reads_it_as_we_do(environment: str) -> None:
    read = subprocess.run(
        ["docker-compose", "--env-file", env_file(environment), "--file", FILE, "config"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.returncode == 0, read.stderr
    assert read.stderr == ""
    theirs, here = yaml.safe_load(read.stdout)["services"], services(environment)
    assert theirs.keys() == here.keys()
    for name, service in here.items():
        assert theirs[name]["image"] == service["image"]
        said = theirs[name].get("environment", {})
        assert said == service.get("environment", {}), name
        assert theirs[name].get("depends_on", {}) == service.get("depends_on", {})
        # It shows commands so that they can be read again.
        shown = json.dumps(theirs[name].get("command")).replace("$$", "$")
        assert json.loads(shown) == service.get("command")


@pytest.mark.skipif(COMPOSE is None, reason="there is no docker-compose here")
def test_it_does_not_start_with_the_outside_left_open(tmp_path: Path) -> None:
    (tmp_path / "empty.env").touch()
    read = subprocess.run(
        ["docker-compose", "--env-file", tmp_path / "empty.env", "--file", FILE, "config"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.returncode != 0
    assert "names the mail server" in read.stderr


@every_one_of_ours
def test_every_command_exists_and_takes_what_it_is_given(name: str) -> None:
    _check(command_of(services()[name]))


@every_one_of_ours
def test_a_health_check_is_a_command_that_exists_and_jobs_have_none(name: str) -> None:
    if is_a_job(name):
        assert "healthcheck" not in services()[name]
        return
    kind, *command = services()[name]["healthcheck"]["test"]
    assert kind == "CMD"
    if command[0] == "perdure":
        _check(command)
        assert command[1] == "health"


def _check(words: list[str]) -> None:
    program, *rest = words
    if program == "python":
        assert rest[:2] == ["-m", "simulators"]
        simulators_parser().parse_args(rest[2:])
        return
    assert program == "perdure"
    command = typer.main.get_command(app)
    while isinstance(command, TyperGroup):
        command = command.commands[rest.pop(0)]
    command.make_context("perdure", rest)


def test_the_gateways_health_is_a_route_of_it() -> None:
    from gateway.health import router

    assert health.READY in {getattr(route, "path", None) for route in router.routes}


@every_service
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_variable_is_one_that_somebody_reads(name: str, environment: str) -> None:
    given = services(environment)[name].get("environment", {})
    if name in FOREIGN:
        assert given.keys() == FOREIGN[name]
        return
    assert given.keys() <= {variable(field) for field in Settings.model_fields} | TEMPORALS
    fields = {variable(field): field for field in Settings.model_fields}
    told = {fields[key]: value for key, value in given.items() if key in fields and value}
    Settings(**{"home": "/run"} | told)  # raises what cannot be read


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_file_of_variables_sets_only_what_the_composition_asks_for(environment: str) -> None:
    asked = set(re.findall(r"\$\{(\w+)", FILE.read_text()))
    assert variables(environment).keys() - {"COMPOSE_PROFILES"} <= asked
    for needed in re.findall(r"\$\{(\w+):\?", FILE.read_text()):
        assert variables(environment)[needed]


_FROM_THE_MACHINE = ("ports", "PERDURE_CONFIRMATION_PAGE")
"""What says how this machine reaches a service, rather than one service another."""


def test_every_port_is_one_that_somebody_listens_on() -> None:
    listens = {
        "postgres": {5432},
        "temporal": {7233},
        "temporal-ui": {int(services()["temporal-ui"]["environment"]["TEMPORAL_UI_PORT"])},
        "gateway": {int(services()["gateway"]["environment"]["PERDURE_GATEWAY_PORT"])},
        "simulators": {
            int(found)
            for found in re.findall(r"-port=(\d+)", " ".join(services()["simulators"]["command"]))
        },
    }
    for name, service in services().items():
        for published in service.get("ports", []):
            host, _, inside = published.split(":")
            assert host == "127.0.0.1", "nothing is open to the network by itself"
            assert int(inside) in listens[name]
        for text in _texts(service):
            for host, port in re.findall(r"\b([a-z][a-z-]*|127\.0\.0\.1):(\d{4})\b", text):
                who = name if host == "127.0.0.1" else host
                assert int(port) in listens[who] | ({8233} if who == "temporal-ui" else set()), text
    environment = services()["worker"]["environment"]
    assert environment["PERDURE_SMTP_PORT"] == "8425"
    page = f"http://127.0.0.1:{min(listens['gateway'])}/confirm"
    assert environment["PERDURE_CONFIRMATION_PAGE"] == page, "as applicants reach the gateway"
    assert {
        service["environment"]["PERDURE_DATABASE_PORT"]
        for service in ours().values()
        if "PERDURE_DATABASE_PORT" in service.get("environment", {})
    } == {"5432"}


def _texts(node: Any) -> list[str]:
    if isinstance(node, Mapping):
        told = {key: value for key, value in node.items() if key not in _FROM_THE_MACHINE}
        return [text for value in told.values() for text in _texts(value)]
    if isinstance(node, list):
        return [text for value in node for text in _texts(value)]
    return [str(node)]


@every_service
def test_an_image_has_a_tag_that_is_a_version(name: str) -> None:
    image = services()[name]["image"]
    assert re.fullmatch(r"[a-z/-]+:\d+\.\d+(\.\d+)?(-bookworm)?", image), image


def test_our_image_is_built_once_and_never_taken_from_elsewhere() -> None:
    tags = {service["image"] for service in ours().values()}
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert tags == {f"perdure:{version[1]}"}
    policies = {name: service["pull_policy"] for name, service in ours().items()}
    assert [name for name, service in ours().items() if "build" in service] == ["migrations"]
    assert policies.pop("migrations") == "build"
    assert set(policies.values()) == {"never"}


@every_service
def test_a_service_may_do_no_more_than_it_must(name: str) -> None:
    service = services()[name]
    user, group = service["user"].split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert "network_mode" not in service
    limits = service["deploy"]["resources"]["limits"]
    assert limits.keys() == {"cpus", "memory"}
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


@every_service
def test_a_service_waits_for_what_it_needs(name: str) -> None:
    for other, condition in waits_for(services()[name]).items():
        assert condition == (DONE if is_a_job(other) else HEALTHY)
        assert is_a_job(other) or "healthcheck" in services()[other]
    hosts = {
        value.split(":")[0]
        for key, value in services()[name].get("environment", {}).items()
        if key.endswith(("_HOST", "_SEEDS", "_ADDRESS")) and value != "0.0.0.0"
    }
    # Stripe and the mail server may be down when the worker starts.
    assert hosts - {"simulators"} <= _all_before(name)


def _all_before(name: str) -> set[str]:
    direct = set(waits_for(services()[name]))
    return direct.union(*(_all_before(other) for other in direct))


def test_what_works_on_tables_waits_for_the_migrations_and_on_temporal_for_its_namespace() -> None:
    for name in ("worker", "reconciliation", "gateway"):
        assert {"migrations", "namespace", "temporal", "postgres"} <= _all_before(name)
    assert {"namespace"} <= _all_before("schedules")


@every_service
def test_what_runs_for_good_is_started_again_and_what_ends_only_after_a_failure(name: str) -> None:
    restart = services()[name]["restart"]
    assert restart == ("on-failure:5" if is_a_job(name) else "unless-stopped")
    if not is_a_job(name):
        assert {"test", "interval", "timeout", "retries", "start_period"} <= (
            services()[name]["healthcheck"].keys()
        )


def test_state_is_in_named_volumes_and_what_is_mounted_is_there() -> None:
    named = set(composition("simulators")["volumes"])
    used = set()
    for service in services().values():
        for volume in service.get("volumes", []):
            source, target, *mode = volume.split(":")
            assert target.startswith("/")
            if source.startswith("./"):
                assert (ROOT / source).exists(), source
                assert mode == ["ro"]
            else:
                used.add(source)
    assert used == named
    assert "postgres:/var/lib/postgresql" in services()["postgres"]["volumes"]


@pytest.mark.parametrize("name", ["worker", "reconciliation", "gateway"])
def test_a_folder_that_a_process_writes_to_is_in_a_volume_of_it(name: str) -> None:
    service = services()[name]
    fields = {variable(field): field for field in Settings.model_fields}
    given = service["environment"]
    told = {fields[key]: value for key, value in given.items() if key in fields and value}
    settings = Settings(**{"home": "/run"} | told)
    volumes = [Path(one.split(":")[1]) for one in service["volumes"]]
    for folder in _SHARED:
        path: Path = getattr(settings, folder)
        assert any(path.is_relative_to(volume) for volume in volumes), f"{folder} is {path}"
        assert path == Path(services()["gateway"]["environment"][variable(folder)]), "it is shared"


_SHARED = ("spool", "statement_folder", "statement_spool", "archive_folder")
"""Settings that name folders where gateways and workers meet."""


def test_every_secret_is_made_by_our_command_and_used_by_somebody() -> None:
    secrets = composition("simulators")["secrets"]
    assert {name: one["file"] for name, one in secrets.items()} == {
        name: f"./deploy/secrets/{name}" for name in deployment_secrets.MOUNTED
    }
    assert {one for service in services().values() for one in service.get("secrets", [])} == set(
        secrets
    )
    for service in services().values():
        files = re.findall(r"/run/secrets/([\w.]+)", json.dumps(service))
        assert set(files) <= set(service.get("secrets", []))


@every_one_of_ours
def test_a_secret_of_ours_is_a_setting_or_the_file_of_callers(name: str) -> None:
    if name == "simulators":
        return
    assert set(services()[name].get("secrets", [])) <= {*Settings.model_fields, "api_keys.json"}


def test_nobody_gets_a_secret_in_a_variable() -> None:
    for name, service in services().items():
        for key in service.get("environment", {}):
            assert key.endswith("_FILE") or not re.search("PASSWORD|PWD|SECRET|KEY", key), name


def test_there_is_no_name_at_the_top_and_only_the_simulators_are_a_profile() -> None:
    assert "name" not in composition("simulators"), "version 1.29.2 refuses it"
    assert {name: one["profiles"] for name, one in services().items() if "profiles" in one} == {
        "simulators": ["simulators"]
    }
    assert variables("simulators")["COMPOSE_PROFILES"] == "simulators"
    assert "COMPOSE_PROFILES" not in variables("production")


def test_the_dynamic_configuration_is_where_the_server_looks_for_it() -> None:
    server = services()["temporal"]
    source, target, _ = server["volumes"][0].split(":")
    path = server["environment"]["DYNAMIC_CONFIG_FILE_PATH"]
    file = ROOT / source / path.removeprefix(target + "/")
    values = yaml.safe_load(file.read_text())
    assert all(set(one) == {"value"} for settings in values.values() for one in settings)
