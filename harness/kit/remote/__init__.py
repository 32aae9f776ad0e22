"""Models behind servers: asked by any plugin, kept, counted. Imports no library before it asks.

A plugin's options inherit from :class:`ServerOptions`; :class:`Asker` sends its
:class:`Request` records and gives back a :class:`Reply`, or the :class:`Fault`, of each.
"""

from harness.kit.remote.asking import Asker, Progress
from harness.kit.remote.client import Client, foreseen
from harness.kit.remote.faults import NOT_ASKED, Fault, Faults
from harness.kit.remote.options import (
    Price,
    RequestOptions,
    ServerOptions,
    check_server,
    foresee_library,
    foresee_server,
    money,
)
from harness.kit.remote.replies import KeptReplies, Reply, Request
from harness.kit.remote.spending import Cost, Spending, counting

__all__ = [
    "NOT_ASKED",
    "Asker",
    "Client",
    "Cost",
    "Fault",
    "Faults",
    "KeptReplies",
    "Price",
    "Progress",
    "Reply",
    "Request",
    "RequestOptions",
    "ServerOptions",
    "Spending",
    "check_server",
    "counting",
    "foresee_library",
    "foresee_server",
    "foreseen",
    "money",
]
