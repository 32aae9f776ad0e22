"""Where a page is served, and by which names browsers know it."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Literal

from harness.errors import EnvironmentFailure, UsageError

_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a page is served.

    Attributes:
        host: address to listen at; one beyond this machine needs ``hosts``.
        hosts: the Hosts by which browsers know the page, with port (``rate.example.org``);
            empty = just ``host:port``.
        scheme: as browsers see it; ``https`` behind a proxy that encrypts.
    """

    port: int
    host: str = "127.0.0.1"
    hosts: tuple[str, ...] = ()
    scheme: Literal["http", "https"] = "http"

    @property
    def allowed(self) -> tuple[str, ...]:
        """The Hosts that are answered, as browsers send them."""
        own = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        default = ":443" if self.scheme == "https" else ":80"
        return tuple(host.lower().removesuffix(default) for host in self.hosts or (own,))

    def link(self, token: str) -> str:
        """The link that opens the page for who holds the token."""
        return f"{self.scheme}://{self.allowed[0]}/in/{token}"

    def checked(self) -> Address:
        """This address, once it is safe to serve at.

        Raises:
            UsageError: one that others reach without saying by which name.
        """
        if self.scheme == "https" and not self.hosts:
            raise UsageError(
                "--https is for a page behind a proxy, which browsers know by another address",
                hint="say by which one: --allow-host NAME",
            )
        if not _is_loopback(self.host) and not self.hosts:
            raise UsageError(
                f"--host {self.host} can be reached from other machines",
                hint="say by which address browsers will know the page: "
                f"--allow-host NAME:{self.port}",
            )
        for host in self.hosts:
            if not _HOST.fullmatch(host):
                raise UsageError(
                    f"--allow-host '{host}' is no Host", hint="NAME or NAME:PORT, without http://"
                )
        return self


def _is_loopback(host: str) -> bool:
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(address: Address) -> socket.socket:
    """A socket at the address.

    Raises:
        EnvironmentFailure: the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        bound = socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot listen at {address.host}, port {address.port}: {error.strerror}",
            hint="is the page served already? Choose another port with --port",
        ) from None
    # Its connections have it too. Without it the body of an answer, which goes after the headers,
    # waits 40 ms for the browser to acknowledge these; asyncio sees to it only where it listens.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound
