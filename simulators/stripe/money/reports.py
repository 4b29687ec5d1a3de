"""Report runs: asked for now, written by and by, fetched as a file."""

import asyncio
import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from simulators.storage import Storage
from simulators.stripe.account import Account, Call, new_id
from simulators.stripe.collection import Document
from simulators.stripe.errors import ParameterError, no_such
from simulators.stripe.money import report_types
from simulators.stripe.money.balance import DAY
from simulators.stripe.money.report_types import REPORT_TYPES, ReportType
from simulators.stripe.operation import Operation, equal_to, listed

URL = "/v1/reporting/report_runs"
TYPES_URL = "/v1/reporting/report_types"
FILES_URL = "/v1/files"
FOLDER = "files"
DATA_AVAILABLE_START = 1_577_836_800  # 2020-01-01
FILE_DAYS = 365


def create(account: Account, call: Call) -> Document:
    """Ask for a report over whole seconds [interval_start, interval_end)."""
    name = call.parameters["report_type"]
    report_type = REPORT_TYPES.get(name)
    if report_type is None:
        raise ParameterError(f"Unknown report type: {name}", param="report_type")
    parameters = call.parameters.get("parameters", {})
    _check(account, report_type, parameters)
    run: Document = {
        "id": new_id("frr_1", 24),
        "object": "reporting.report_run",
        "created": account.now(),
        "error": None,
        "livemode": False,
        "parameters": parameters,
        "report_type": name,
        "result": None,
        "status": "pending",
        "succeeded_at": None,
    }
    account.report_runs.add(run, call.base_url)
    return run


def retrieve(account: Account, call: Call) -> Document:
    """One run; its `result` is the file as soon as it has succeeded."""
    run = account.report_runs.get(call.path["report_run"])
    if run is None:
        raise no_such("reporting report run", call.path["report_run"])
    return run


def list_all(account: Account, call: Call) -> str:
    """Runs, newest first."""
    return listed(account.report_runs, call, name="report run", url=URL)


def retrieve_type(account: Account, call: Call) -> Document:
    """One report type, and how far there is data for it."""
    name = call.path["report_type"]
    if name not in REPORT_TYPES:
        raise no_such("reporting report type", name)
    return _type(account, name, REPORT_TYPES[name])


def list_types(account: Account, _: Call) -> Document:
    """All report types."""
    types = [_type(account, name, each) for name, each in REPORT_TYPES.items()]
    return {"object": "list", "data": types, "has_more": False, "url": TYPES_URL}


def retrieve_file(account: Account, call: Call) -> Document:
    """What is known of a file; its content is at its `url`."""
    return existing_file(account, call.path["file"])


def list_files(account: Account, call: Call) -> str:
    """Files, newest first."""
    return listed(
        account.files, call, name="file", url=FILES_URL, conditions=equal_to(call, "purpose")
    )


def existing_file(account: Account, file_id: str) -> Document:
    """The file; raises ExecutionError if there is none."""
    file = account.files.get(file_id)
    if file is None:
        raise no_such("file", file_id)
    return file


def data_available_end(account: Account) -> int:
    """Up to when reports can be asked for: the last midnight (UTC)."""
    return account.now() // DAY * DAY


class Writer:
    """Writes reports one after the other, beside the requests; `wake` it for a new run.

    `told` is called when there is an event of one.
    """

    def __init__(self, account: Account, told: Callable[[], None]) -> None:
        self._account = account
        self._told = told
        self._storage = account.storage
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Look for runs now."""
        self._news.set()

    async def run(self) -> None:
        """Write until cancelled; a run that was not finished is written again."""
        while True:
            self._news.clear()
            pending = self._storage.row(
                "SELECT document, base_url FROM stripe_report_runs WHERE status = 'pending'"
                " ORDER BY sequence LIMIT 1"
            )
            if pending is None:
                await self._news.wait()
            else:
                await self._write(json.loads(pending[0]), pending[1])

    async def _write(self, run: Document, base_url: str) -> None:
        file_id = new_id("file_1", 24)
        path = path_of(self._storage, file_id)
        await asyncio.to_thread(_write_csv, self._storage.path, run, path)
        if self._account.report_runs.get(run["id"]) is None:
            path.unlink(missing_ok=True)  # everything was forgotten meanwhile
            return
        with self._storage.transaction():
            self._finish(run, base_url, file_id, path.stat().st_size)
        self._told()

    def _finish(self, run: Document, base_url: str, file_id: str, size: int) -> None:
        account = self._account
        file: Document = {
            "id": file_id,
            "object": "file",
            "created": account.now(),
            "expires_at": account.now() + FILE_DAYS * DAY,
            "filename": f"{run['id']}.csv",
            "links": {
                "object": "list",
                "data": [],
                "has_more": False,
                "url": f"/v1/file_links?file={file_id}",
            },
            "purpose": "finance_report_run",
            "size": size,
            "title": f"FinanceReportRun {run['id']}",
            "type": "csv",
            "url": f"{base_url}{FILES_URL}/{file_id}/contents",
        }
        account.files.add(file)
        run |= {"result": file, "status": "succeeded", "succeeded_at": account.now()}
        account.report_runs.replace(run)
        account.emit("reporting.report_run.succeeded", run)


def path_of(storage: Storage, file_id: str) -> Path:
    """Where a file's content is."""
    return storage.path.parent / FOLDER / f"{file_id}.csv"


def clear(storage: Storage) -> None:
    """Throw all contents away."""
    shutil.rmtree(storage.path.parent / FOLDER, ignore_errors=True)


def _write_csv(database: Path, run: Document, path: Path) -> None:
    """Runs in a thread, on a connection of its own that sees one state of the database."""
    report_type = REPORT_TYPES[run["report_type"]]
    request = report_types.Request.of(report_type, run["parameters"])
    path.parent.mkdir(exist_ok=True)
    with (
        contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection,
        path.open("w", newline="", encoding="utf-8") as out,
    ):
        report_types.write(connection, report_type, request, out)


def _check(account: Account, report_type: ReportType, parameters: Document) -> None:
    for name in ("connected_account", "payout"):
        if name in parameters:
            raise ParameterError(f"The simulator has no parameter {name}.", param=name)
    for name in ("interval_start", "interval_end"):
        if name not in parameters:
            raise ParameterError(
                f"Missing required param: parameters[{name}].",
                code="parameter_missing",
                param=f"parameters[{name}]",
            )
    begin, end = parameters["interval_start"], parameters["interval_end"]
    if not DATA_AVAILABLE_START <= begin < end:
        raise ParameterError("The interval is empty or begins too early.", param="interval_start")
    if end > data_available_end(account):
        raise ParameterError(
            "There is no data for the end of the interval yet: data_available_end of the report"
            f" type is {data_available_end(account)}.",
            param="interval_end",
        )
    for column in parameters.get("columns", ()):
        if not report_type.has(column):
            raise ParameterError(f"The report has no column {column}.", param="columns")


def _type(account: Account, name: str, report_type: ReportType) -> Document:
    end = data_available_end(account)
    return {
        "id": name,
        "object": "reporting.report_type",
        "data_available_end": end,
        "data_available_start": DATA_AVAILABLE_START,
        "default_columns": list(report_type.default_columns),
        "livemode": False,
        "name": report_type.name,
        "updated": end,
        "version": int(name.rsplit(".", 1)[1]),
    }


OPERATIONS = (
    Operation("POST", URL, create),
    Operation("GET", URL, list_all),
    Operation("GET", f"{URL}/{{report_run}}", retrieve),
    Operation("GET", TYPES_URL, list_types),
    Operation("GET", f"{TYPES_URL}/{{report_type}}", retrieve_type),
    Operation("GET", FILES_URL, list_files),
    Operation("GET", f"{FILES_URL}/{{file}}", retrieve_file),
)
