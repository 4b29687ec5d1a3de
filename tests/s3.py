"""A server that speaks S3's protocol, and a bucket in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import httpx
from moto.server import ThreadedMotoServer


@dataclass(frozen=True)
class S3:
    """Where it is."""

    url: str

    def new_bucket(self) -> str:
        name = f"documents-{uuid4().hex}"
        httpx.put(f"{self.url}/{name}").raise_for_status()
        return name

    def objects(self, bucket: str) -> int:
        return httpx.get(f"{self.url}/{bucket}").text.count("<Key>")


@contextmanager
def running_s3() -> Iterator[S3]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield S3(f"http://{host}:{port}")
    finally:
        server.stop()
