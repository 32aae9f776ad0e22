"""Connections on which a whole exchange has one deadline, whatever the server sends meanwhile.

Libraries limit each read: a server that sends a letter of a header now and then, or one interim
response (103) after another, would be read for ever.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore2
import httpx2

from harness.kit.waiting import Deadline, Late

TIMEOUTS = (httpcore2.TimeoutException, httpx2.TimeoutException)
CONNECTING = (httpcore2.ConnectError, httpcore2.ProxyError)
CUT = (httpcore2.RemoteProtocolError, httpcore2.ReadError, httpx2.DecodingError)
OTHERS = (
    httpcore2.ProtocolError, httpcore2.NetworkError, httpcore2.UnsupportedProtocol,
    httpx2.HTTPError,
)  # fmt: skip
"""What the libraries raise, by what it means."""
_IDLE = 5.0
"""Seconds after which an idle connection is not used again."""


class Network(httpcore2.NetworkBackend):
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
    """A connection; ``left`` is :meth:`Network.left`."""

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


class Transport(httpx2.BaseTransport):
    """Carries requests to one endpoint over a :class:`Network`.

    Args:
        endpoint: a URL; its proxy is the one that the environment names.
        local: on this machine: no proxy is between.
        at_once: connections.
    """

    def __init__(self, network: Network, endpoint: str, *, local: bool, at_once: int) -> None:
        parts = urlsplit(endpoint)
        context = (
            httpx2.create_ssl_context(trust_env=not local) if parts.scheme == "https" else None
        )
        shared: Any = {
            "ssl_context": context, "max_connections": at_once, "network_backend": network,
            "keepalive_expiry": _IDLE,
        }  # fmt: skip
        self._pool = _pool(None if local else _proxy_of(parts.scheme, parts.netloc), shared)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        sent = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        response = self._pool.handle_request(sent)
        assert isinstance(response.stream, Iterable), "the pool is no asynchronous one"
        return httpx2.Response(
            response.status, headers=response.headers, stream=_Body(response.stream),
            extensions=response.extensions,
        )  # fmt: skip

    def close(self) -> None:
        self._pool.close()


class _Body(httpx2.SyncByteStream):
    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    def close(self) -> None:
        if hasattr(self._pieces, "close"):
            self._pieces.close()


def _proxy_of(scheme: str, host: str) -> str | None:
    """The URL of the proxy by which the environment has a host asked."""
    proxies = getproxies()
    if proxy_bypass(host):
        return None
    return proxies.get(scheme) or proxies.get("all")


def _pool(proxy: str | None, shared: Any) -> httpcore2.ConnectionPool:
    if proxy is None:
        return httpcore2.ConnectionPool(**shared)
    named = httpx2.Proxy(proxy if "://" in proxy else f"http://{proxy}")
    if named.url.scheme.startswith("socks5"):
        return httpcore2.SOCKSProxy(proxy_url=str(named.url), proxy_auth=named.raw_auth, **shared)
    return httpcore2.HTTPProxy(proxy_url=str(named.url), proxy_auth=named.raw_auth, **shared)
