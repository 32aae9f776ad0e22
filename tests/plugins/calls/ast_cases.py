"""Cases of the Berkeley Function-Calling Leaderboard's AST rules, written from their description.

https://gorilla.cs.berkeley.edu/blogs/8_berkeley_function_calling_leaderboard.html: a call is right
if its function is, all required arguments are there, none is that the function does not have, and
each has the type and one of the values that are listed; "" among these marks one that may be left
out. The verdicts were given by bfcl-eval 2026.3.23 (Apache-2.0).
"""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
NUMBER = {"type": "number"}
FLAG = {"type": "boolean"}


def tool(name: str, properties: dict[str, Any], *required: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = [
    tool(
        "weather",
        {
            "city": TEXT,
            "unit": {**TEXT, "enum": ["celsius", "fahrenheit"], "default": "celsius"},
            "days": {**WHOLE, "default": 1},
        },
        "city",
    ),
    tool("move", {"x": NUMBER, "y": NUMBER, "fast": {**FLAG, "default": False}}, "x", "y"),
    tool(
        "send", {"to": {"type": "array", "items": TEXT}, "body": TEXT, "copy": TEXT}, "to", "body"
    ),
    tool("mean", {"numbers": {"type": "array", "items": WHOLE}}, "numbers"),
    tool(
        "deliver",
        {
            "address": {
                "type": "object",
                "properties": {"street": TEXT, "city": TEXT, "floor": {**WHOLE, "default": 0}},
                "required": ["street", "city"],
            },
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"name": TEXT, "count": WHOLE},
                    "required": ["name", "count"],
                },
            },
        },
        "address",
        "items",
    ),
    tool("now", {}),
]

PARIS = {"weather": {"city": ["Paris"], "unit": ["celsius", ""], "days": [1, ""]}}
WARM = {"weather": {"city": ["Paris"], "unit": ["fahrenheit"], "days": [3]}}
THERE = {"move": {"x": [2.0], "y": [3.5], "fast": [False, ""]}}
FAST = {"move": {"x": [2.0], "y": [3.5], "fast": [True]}}
MAIL = {"send": {"to": [["Ann", "Bob"]], "body": ["See you at 5, Ann."], "copy": [""]}}
MEAN = {"mean": {"numbers": [[1, 2, 3]]}}
HOME = {
    "deliver": {
        "address": [{"street": ["Main St 1"], "city": ["Oslo"], "floor": [0, ""]}],
        "items": [[{"name": ["tea"], "count": [2]}, {"name": ["milk"], "count": [1]}]],
    }
}
NOW = {"now": {}}
BASEL = {"weather": {"city": ["Basel"], "unit": ["celsius", ""], "days": [1, ""]}}


def weather(**arguments: Any) -> dict[str, Any]:
    return {"weather": arguments}


def move(**arguments: Any) -> dict[str, Any]:
    return {"move": arguments}


def send(to: Any = ("Ann", "Bob"), body: Any = "See you at 5, Ann.", **more: Any) -> dict[str, Any]:
    return {"send": {"to": list(to) if isinstance(to, tuple) else to, "body": body, **more}}


ADDRESS = {"street": "Main St 1", "city": "Oslo"}
ITEMS = [{"name": "tea", "count": 2}, {"name": "milk", "count": 1}]


def deliver(address: Any = ADDRESS, items: Any = ITEMS) -> dict[str, Any]:
    return {"deliver": {"address": address, "items": items}}


Case = tuple[list[dict[str, Any]], list[dict[str, Any]], bool, str]

CASES: list[Case] = [
    # wanted, given, the leaderboard's verdict, why ours differs (empty: it is equal)
    ([PARIS], [weather(city="Paris")], True, ""),
    ([PARIS], [weather(city="Paris", unit="celsius")], True, ""),
    ([PARIS], [weather(city="Paris", unit="celsius", days=1)], True, ""),
    ([PARIS], [weather(city="Paris", days=1)], True, ""),
    ([PARIS], [weather(city="Rome")], False, ""),
    ([PARIS], [weather(city="Paris", unit="fahrenheit")], False, ""),
    ([PARIS], [weather(city="Paris", days=2)], False, ""),
    ([PARIS], [weather(unit="celsius")], False, ""),
    ([PARIS], [weather()], False, ""),
    ([PARIS], [weather(city="Paris", country="France")], False, ""),
    ([PARIS], [weather(city=7)], False, ""),
    ([PARIS], [weather(city=["Paris"])], False, ""),
    ([PARIS], [weather(city="Paris", days="1")], False, ""),
    ([PARIS], [weather(city="Paris", days=True)], False, ""),
    ([PARIS], [weather(city="Paris", unit=["celsius"])], False, ""),
    ([PARIS], [weather(city="paris")], True, "text"),
    ([PARIS], [weather(city=" Paris ")], True, ""),
    ([PARIS], [weather(city="Paris.")], True, "text"),
    ([PARIS], [weather(city="Paris, France")], False, ""),
    ([PARIS], [weather(city="")], False, ""),
    ([PARIS], [weather(city="Paris", unit=None)], False, "null"),
    ([PARIS], [weather(city=None)], False, ""),
    ([PARIS], [weather(city="Paris", days=1.0)], False, "whole"),
    ([WARM], [weather(city="Paris", unit="fahrenheit", days=3)], True, ""),
    ([WARM], [weather(city="Paris", unit="fahrenheit")], False, ""),
    ([WARM], [weather(city="Paris", days=3)], False, ""),
    ([WARM], [weather(city="Paris", unit="celsius", days=3)], False, ""),
    ([THERE], [move(x=2.0, y=3.5)], True, ""),
    ([THERE], [move(x=2, y=3.5)], True, ""),
    ([THERE], [move(y=3.5, x=2.0, fast=False)], True, ""),
    ([THERE], [move(x=2.0, y=3.5, fast=True)], False, ""),
    ([THERE], [move(x=2.0, y=3.5, fast="false")], False, ""),
    ([THERE], [move(x=2.0, y=3.5, fast=0)], False, ""),
    ([THERE], [move(x="2.0", y=3.5)], False, ""),
    ([THERE], [move(x=3.5, y=2.0)], False, ""),
    ([THERE], [move(x=2.0)], False, ""),
    ([THERE], [move(x=2.0, y=3.5000001)], False, ""),
    ([THERE], [move(x=2.0, y=-3.5)], False, ""),
    ([FAST], [move(x=2.0, y=3.5, fast=True)], True, ""),
    ([FAST], [move(x=2.0, y=3.5)], False, ""),
    ([FAST], [move(x=2.0, y=3.5, fast=1)], False, ""),
    ([MAIL], [send()], True, ""),
    ([MAIL], [send(to=("Bob", "Ann"))], False, ""),
    ([MAIL], [send(to=("Ann",))], False, ""),
    ([MAIL], [send(to=("Ann", "Bob", "Cid"))], False, ""),
    ([MAIL], [send(to="Ann, Bob")], False, ""),
    ([MAIL], [send(to=())], False, ""),
    ([MAIL], [send(to=("ann", "bob"))], True, "text"),
    ([MAIL], [send(to=("Ann", 7))], False, ""),
    ([MAIL], [send(body="See you at 5 Ann")], True, "text"),
    ([MAIL], [send(body="See you at 6, Ann.")], False, ""),
    ([MAIL], [send(copy="Cid")], False, ""),
    ([MEAN], [{"mean": {"numbers": [1, 2, 3]}}], True, ""),
    ([MEAN], [{"mean": {"numbers": [3, 2, 1]}}], False, ""),
    ([MEAN], [{"mean": {"numbers": [1.0, 2, 3]}}], False, "whole"),
    ([MEAN], [{"mean": {"numbers": "1, 2, 3"}}], False, ""),
    ([MEAN], [{"mean": {"numbers": [1, 2, "3"]}}], False, ""),
    ([MEAN], [{"mean": {"numbers": [[1, 2, 3]]}}], False, ""),
    ([HOME], [deliver()], True, ""),
    ([HOME], [deliver(address={**ADDRESS, "floor": 0})], True, ""),
    ([HOME], [deliver(address={**ADDRESS, "floor": 4})], False, ""),
    ([HOME], [deliver(address={"street": "Main St 1"})], False, ""),
    ([HOME], [deliver(address={**ADDRESS, "city": "Bergen"})], False, ""),
    ([HOME], [deliver(address={**ADDRESS, "country": "Norway"})], False, ""),
    ([HOME], [deliver(address="Main St 1, Oslo")], False, ""),
    ([HOME], [deliver(items=ITEMS[::-1])], False, ""),
    ([HOME], [deliver(items=ITEMS[:1])], False, ""),
    ([HOME], [deliver(items=[{"name": "tea", "count": 3}, ITEMS[1]])], False, ""),
    ([HOME], [deliver(items=["tea", "milk"])], False, ""),
    ([NOW], [{"now": {}}], True, ""),
    ([NOW], [{"now": {"zone": "UTC"}}], False, ""),
    ([PARIS], [{"wether": {"city": "Paris"}}], False, ""),
    ([PARIS], [move(x=2.0, y=3.5)], False, ""),
    ([PARIS], [], False, ""),
    ([PARIS], [weather(city="Paris"), weather(city="Paris")], False, ""),
    ([PARIS, BASEL], [weather(city="Paris"), weather(city="Basel")], True, ""),
    ([PARIS, BASEL], [weather(city="Basel"), weather(city="Paris")], True, ""),
    ([PARIS, BASEL], [weather(city="Paris")], False, ""),
    ([PARIS, BASEL], [weather(city="Paris"), weather(city="Paris")], False, ""),
    ([PARIS, BASEL], [weather(city="Paris"), weather(city="Basel"), {"now": {}}], False, ""),
    ([PARIS, THERE], [move(x=2.0, y=3.5), weather(city="Paris")], True, ""),
    ([PARIS, THERE], [move(x=2.0, y=3.0), weather(city="Paris")], False, ""),
    ([], [], True, ""),
    ([], [{"now": {}}], False, ""),
]
