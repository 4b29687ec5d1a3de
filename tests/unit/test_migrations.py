"""Each migration says whether releases from before it go on with the tables as they are then."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from database.migrate import configuration, served

FIRST_TO_SAY = "0023"


def test_every_migration_says_whether_older_releases_run() -> None:
    silent = {
        script.revision
        for script in ScriptDirectory.from_config(configuration("")).walk_revisions()
        if script.revision >= FIRST_TO_SAY
        and not isinstance(getattr(script.module, "older_releases_run", None), bool)
    }
    assert not silent, f"set older_releases_run to True or False in {silent}"


def test_releases_run_as_far_back_as_nothing_broke_them(tmp_path: Path) -> None:
    scripts = _scripts(tmp_path, {"1": "", "2": "True", "3": "False", "4": "True", "5": "True"})
    assert served(scripts, "5") == ["5", "4", "3"]
    assert served(scripts, "3") == ["3"]
    assert served(scripts, "2") == ["2", "1"]


def test_a_migration_that_says_nothing_is_not_borne_by_older_releases(tmp_path: Path) -> None:
    for nothing in ("", "None"):
        scripts = _scripts(tmp_path, {"1": "True", "2": nothing, "3": "True"})
        assert served(scripts, "3") == ["3", "2"]


def _scripts(folder: Path, says: dict[str, str]) -> ScriptDirectory:
    """A history of migrations, each with what it says."""
    (folder / "versions").mkdir(exist_ok=True)
    before: str | None = None
    for revision, said in says.items():
        text = f"revision = {revision!r}\ndown_revision = {before!r}\n"
        text += f"older_releases_run = {said}\n" if said else ""
        (folder / "versions" / f"{revision}.py").write_text(text)
        before = revision
    config = Config()
    config.set_main_option("script_location", str(folder))
    return ScriptDirectory.from_config(config)
