from __future__ import annotations

import json
import stat
from pathlib import Path

from gateway.callers import read_callers
from workers import deployment_secrets
from workers.deployment_secrets import MOUNTED


def test_what_is_missing_is_made_and_what_is_there_stays(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    made = deployment_secrets.make(folder, tenant="acme")
    assert set(MOUNTED) <= set(made)
    (folder / "stripe_api_key").write_text("sk_live_of_ones_own\n")
    (folder / "api_keys.json").write_text("[]\n")
    (folder / "postgres_password").unlink()
    assert deployment_secrets.make(folder, tenant="acme") == ["postgres_password"]
    assert (folder / "stripe_api_key").read_text() == "sk_live_of_ones_own\n"
    assert (folder / "api_keys.json").read_text() == "[]\n"


def test_containers_may_read_what_they_are_given_and_other_users_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    deployment_secrets.make(folder, tenant="acme")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in folder.iterdir():
        mode = 0o644 if file.name in MOUNTED else 0o600
        assert stat.S_IMODE(file.stat().st_mode) == mode, file.name


def test_the_gateway_knows_the_keys_that_were_made_by_their_hashes(tmp_path: Path) -> None:
    deployment_secrets.make(tmp_path, tenant="acme")
    callers = read_callers(tmp_path / "api_keys.json")
    names = []
    for file in sorted(tmp_path.glob("api_key_*")):
        key = file.read_text().strip()
        found = callers.recognise(f"Bearer {key}")
        names.append(found.name)
        assert file.name.removeprefix("api_key_").removesuffix("_two") in found.actor.roles
        assert found.tenant == "acme"
        assert key not in json.dumps((tmp_path / "api_keys.json").read_text())
    assert len(set(names)) == len(names) == 11, "four-eyes takes keys of different names"
