"""The batch API of a server: files, batches, and what can become of them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.chat_server import Answer, Asked, Server


class BatchServer(Server):
    """A server whose model answers batches alone, in as many looks as a test wants.

    Attributes:
        looks: at a batch until it ends.
        ends: how the next batches end: ``completed`` after these.
        left_out: whether a request of a batch has no line in any file.
        faults: answers given in place of the next ones to a method and path.
        worked: how often the model has worked for each prompt.
        sizes: requests of each batch that was begun.
    """

    def __init__(self, says: Callable[[Any], Answer]) -> None:
        super().__init__(says)
        self.others = self._other
        self.looks = 1
        self.ends: list[str] = []
        self.left_out: Callable[[Asked], bool] = lambda asked: False
        self.faults: dict[str, list[Answer]] = {}
        self.worked: Counter[str] = Counter()
        self.sizes: list[int] = []
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.calls: Counter[str] = Counter()

    def _other(self, method: str, path: str, body: bytes) -> Answer:
        path = path.removeprefix("/v1/").partition("?")[0]
        kind = f"{method} {re.sub('[0-9]+', '*', path)}"
        self.calls[kind] += 1
        fault = self.faults[kind].pop(0) if self.faults.get(kind) else None
        # What a response that is cut says was done all the same.
        if fault is not None and not fault.cut:
            return fault
        answer = self._done(kind, path, body)
        return Answer(answer.status, answer.body, cut=True) if fault else answer

    def _done(self, kind: str, path: str, body: bytes) -> Answer:
        match kind:
            case "POST files":
                name = f"file-{len(self.files)}"
                self.files[name] = re.split(rb"\r\n\r\n|\r\n--", body)[3]
                assert b'name="purpose"' in body and self.files[name].startswith(b"{")
                return _json({"id": name})
            case "POST batches":
                wanted = json.loads(body)
                assert wanted["endpoint"] == "/v1/chat/completions"
                name = f"batch-{len(self.batches)}"
                lines = self.files[wanted["input_file_id"]].splitlines()
                batch = {"id": name, "status": "validating", "looks": self.looks, **wanted}
                batch["request_counts"] = {"total": len(lines), "completed": 0}
                self.batches[name] = batch
                self.sizes.append(len(lines))
                return _json(batch)
            case "GET batches":
                return _json({"data": [*self.batches.values()][::-1], "has_more": False})
            case "GET batches/batch-*":
                batch = self.batches[path.rpartition("/")[2]]
                self._work(batch)
                return _json(batch)
            case "GET files/file-*/content":
                return Answer(body=self.files[path.split("/")[1]])
        return Answer(404)

    def _work(self, batch: dict[str, Any]) -> None:
        if batch["status"] not in ("validating", "in_progress"):
            return
        batch["looks"] -= 1
        if batch["looks"] >= 0:
            batch["status"] = "in_progress"
            return
        end = self.ends.pop(0) if self.ends else "completed"
        batch["status"] = end
        if end == "failed":
            message = "Enqueued token limit reached"
            batch["errors"] = {"data": [{"code": "token_limit_exceeded", "message": message}]}
            return
        lines = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
        answered, refused = [], []
        for place, line in enumerate(lines):
            asked = Asked(line["body"], {"path": line["url"]})
            if end != "completed" and place % 2:
                if place % 4 == 1:
                    error = {"code": f"batch_{end}", "message": "it came too late"}
                    refused.append({"custom_id": line["custom_id"], "error": error})
                continue
            if self.left_out(asked):
                continue
            self.asked.append(asked)
            answer = self.says(asked)
            response = {"status_code": answer.status, "body": _body(answer.body)}
            told = {"custom_id": line["custom_id"], "response": response, "error": None}
            if answer.status == 200:
                self.worked[asked.user] += 1
                answered.append(told)
            else:
                refused.append(told)
        for name, told in (("output_file_id", answered), ("error_file_id", refused)):
            if told:
                batch[name] = f"file-{len(self.files)}"
                data = "".join(json.dumps(line) + "\n" for line in reversed(told))
                self.files[batch[name]] = data.encode()


def _body(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")


def _json(document: Mapping[str, Any]) -> Answer:
    return Answer(body=json.dumps(document).encode())
