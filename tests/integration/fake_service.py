"""A small process to supervise: writes down what happens to it, answers on a port, ends as told.

`python fake_service.py NAME PORT DIARY [stubborn|silent|broken|parent]`
"""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    name, port, diary = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    manner = sys.argv[4] if len(sys.argv) > 4 else "plain"

    def note(what: str) -> None:
        with diary.open("a") as book:
            book.write(f"{name} {what}\n")

    def end(*_: object) -> None:
        note("ended")
        if manner != "stubborn":
            sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    note("started")
    if manner == "broken":
        sys.exit("the disk is full")
    if manner == "parent":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        note(f"child {child.pid}")
    listener = socket.create_server(("127.0.0.1", port)) if manner != "silent" else None
    while True:
        time.sleep(0.05)
        assert listener is None or listener.fileno() > 0


if __name__ == "__main__":
    main()
