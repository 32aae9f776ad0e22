"""Connections on which a whole exchange has one deadline, whatever the server sends meanwhile.

Libraries limit each read: a server that sends a letter of a header now and then, or one interim
response (103) after another, would be read for ever.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore2

from harness.kit.remote.options import is_local
from harness.kit.waiting import Deadline, Late

TIMEOUTS = (httpcore2.TimeoutException,)
CONNECTING = (httpcore2.ConnectError, httpcore2.ProxyError)
CUT = (httpcore2.RemoteProtocolError, httpcore2.ReadError)
OTHERS = (httpcore2.ProtocolError, httpcore2.NetworkError, httpcore2.UnsupportedProtocol)
"""What the library raises, by what it means."""
_IDLE = 5.0
"""Seconds after which an idle connection is not used again."""


class _Network(httpcore2.NetworkBackend):
    """Sockets whose reads and writes end at the deadline of the thread that waits for them."""

    def __init__(self) -> None:
        self._sockets, self._of_thread = httpcore2.SyncBackend(), threading.local()

    @contextlib.contextmanager
    def until(self, deadline: Deadline) -> Iterator[None]:
        """Within the block all that this thread reads, writes and connects ends then."""
        self._of_thread.deadline = deadline
        try:
            yield
        finally:
            del self._of_thread.deadline

    def left(self, timeout: float | None) -> float | None:
        """The limit of one operation, which may be shorter than the deadline.

        Raises:
            httpcore2.ReadTimeout: the deadline has passed.
        """
        deadline: Deadline | None = getattr(self._of_thread, "deadline", None)
        if deadline is None:  # a connection that is closed with its pool
            return timeout
        try:
            left = deadline.left()
        except Late:
            raise httpcore2.ReadTimeout from None
        return left if timeout is None else min(left, timeout)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        stream = self._sockets.connect_tcp(
            host, port, self.left(timeout), local_address, socket_options
        )
        return _Stream(stream, self.left)


class _Stream(httpcore2.NetworkStream):
    """A connection; ``left`` is :meth:`_Network.left`."""

    def __init__(
        self,
        stream: httpcore2.NetworkStream,
        left: Callable[[float | None], float | None],
    ) -> None:
        self._stream, self._left = stream, left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        inner = self._stream.start_tls(ssl_context, server_hostname, self._left(timeout))
        return _Stream(inner, self._left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Exchanges:
    """Requests to one endpoint, and what it responds. Threads may share it.

    Args:
        endpoint: a URL; its proxy is the one that the environment names, and none where the server
            is on this machine.
        headers: of each request.
        timeout: seconds for one read, write or connection.
        at_once: connections.
    """

    def __init__(
        self, endpoint: str, headers: Mapping[str, str], timeout: float, at_once: int
    ) -> None:
        parts = urlsplit(endpoint)
        self._network = _Network()
        self._pool = _pool(
            None if is_local(endpoint) else _proxy_of(parts.scheme, parts.netloc),
            max_connections=at_once, network_backend=self._network, keepalive_expiry=_IDLE,
        )  # fmt: skip
        self._address = httpcore2.URL(endpoint.rstrip("/"))
        self._headers = [(b"Host", parts.netloc.encode()), (b"User-Agent", b"harness")]
        self._headers += [(b"Accept", b"*/*"), (b"Accept-Encoding", b"identity")]
        self._headers += [(name.encode(), value.encode()) for name, value in headers.items()]
        self._timeout = timeout

    @contextlib.contextmanager
    def response(
        self, method: str, path: str, deadline: Deadline, content: bytes = b"", kind: str = ""
    ) -> Iterator[httpcore2.Response]:
        """A response whose body is still to be read, all of it within the deadline.

        Args:
            path: below the endpoint.
            kind: of ``content``, as ``application/json``.
        """
        base = self._address
        url = httpcore2.URL(
            scheme=base.scheme, host=base.host, port=base.port,
            target=base.target.rstrip(b"/") + b"/" + path.encode(),
        )  # fmt: skip
        headers = [*self._headers, (b"Content-Length", str(len(content)).encode())]
        if kind:
            headers.append((b"Content-Type", kind.encode()))
        with self._network.until(deadline):
            times = dict.fromkeys(("connect", "read", "write"), self._timeout)
            pool = self._network.left(self._timeout)  # until a connection is free
            extensions: Any = {"timeout": {**times, "pool": pool}}
            sent: Any = {"headers": headers, "content": content, "extensions": extensions}
            with self._pool.stream(method, url, **sent) as response:
                yield response

    def close(self) -> None:
        self._pool.close()


def header(response: httpcore2.Response, name: str) -> str:
    """A header of a response; empty where there is none."""
    wanted = name.lower().encode()
    values = (value for key, value in response.headers if key.lower() == wanted)
    return next(values, b"").decode("latin-1")


def _proxy_of(scheme: str, host: str) -> str | None:
    """The URL of the proxy by which the environment has a host asked."""
    proxies = getproxies()
    if proxy_bypass(host):
        return None
    return proxies.get(scheme) or proxies.get("all")


def _pool(proxy: str | None, **shared: Any) -> httpcore2.ConnectionPool:
    if proxy is None:
        return httpcore2.ConnectionPool(**shared)
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    named = {"proxy_url": address, **shared}
    if parts.username is not None:
        named["proxy_auth"] = (unquote(parts.username), unquote(parts.password or ""))
    if parts.scheme.startswith("socks5"):
        return httpcore2.SOCKSProxy(**named)
    return httpcore2.HTTPProxy(**named)
