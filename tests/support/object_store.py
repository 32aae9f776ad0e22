"""A real server of the S3 protocol on this machine, behind a door that counts, fails and waits."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.request import Request, urlopen

from tests.support.waiting import LONG

KEY, SECRET = "AKIAMARKEDFORTESTS", "secret-marked-for-tests"
BUCKET = "team-bucket"
URL = f"s3://{BUCKET}/some prefix"


@dataclass
class ObjectStore:
    """The server, as a run sees it.

    Attributes:
        environment: by which the libraries find it and the credentials.
        requests: ``GET``, ``PUT``, ``LIST`` … -> how often.
        broken: gives the status with which a request is answered instead, or None.
        pause: seconds before each answer.
    """

    environment: dict[str, str]
    requests: Counter[str] = field(default_factory=Counter)
    broken: Callable[[str, str], int | None] = lambda method, path: None
    pause: float = 0.0
    client: Any = None

    def listed(self, prefix: str = "") -> list[str]:
        """What is in the bucket below the prefix of its URL."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
        return [key for key in keys if key.startswith(f"some prefix/{prefix}")]

    def read(self, key: str) -> bytes:
        body: bytes = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def write(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=key, Body=data)

    def json(self, key: str) -> Any:
        return json.loads(self.read(key))

    def empty(self) -> None:
        """Begin anew with an empty bucket; to delete 100,000 objects would take an hour."""
        url = self.client.meta.endpoint_url
        urlopen(Request(f"{url}/moto-api/reset", method="POST")).close()
        self.client.create_bucket(Bucket=BUCKET)


@contextlib.contextmanager
def serving() -> Iterator[ObjectStore]:
    """A server with one empty bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    port = moto.get_host_and_port()[1]
    store = ObjectStore({})

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            listing = self.command == "GET" and "list-type" in self.path
            store.requests["LIST" if listing else self.command] += 1
            time.sleep(store.pause)
            if status := store.broken(self.command, self.path):
                code = {503: "SlowDown", 403: "AccessDenied"}.get(status, "InternalError")
                body = f"<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>".encode()
                self.reply(status, {"Content-Type": "application/xml"}, body)
                return
            inner = HTTPConnection("127.0.0.1", port, timeout=LONG)
            headers = {k: v for k, v in self.headers.items() if k.lower() != "transfer-encoding"}
            inner.request(self.command, self.path, data, headers)
            reply = inner.getresponse()
            self.reply(reply.status, dict(reply.getheaders()), reply.read())
            inner.close()

        def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else len(body)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(b"" if self.command == "HEAD" else body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer

        def log_message(self, *_: Any) -> None:
            return None

    door = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    door.daemon_threads = True
    threading.Thread(target=door.serve_forever, args=(0.01,), daemon=True).start()
    keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    store.environment = {
        **keys, "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{door.server_port}",
    }  # fmt: skip
    store.client = boto3.client(
        "s3", endpoint_url=f"http://127.0.0.1:{port}", aws_access_key_id=KEY,
        aws_secret_access_key=SECRET, region_name="us-east-1",
    )  # fmt: skip
    store.empty()
    try:
        yield store
    finally:
        door.shutdown()
        door.server_close()
        moto.stop()
