"""A server as a program: it serves a model folder and adapters, as `vllm serve` would."""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("base")
parser.add_argument("--adapter")
parser.add_argument("--adapters", nargs="*", default=[])
parser.add_argument("--port", type=int)
parser.add_argument("--asked", type=Path, help="file that gets the model of each request")
parser.add_argument("--repeat", type=float, help="answer the task of the fakes; skill of the base")
parser.add_argument("--shift", type=float, default=0, help="of this skill where an adapter is held")
parser.add_argument("--slow", type=float, default=0)
parser.add_argument("--fail", action="store_true")
parser.add_argument("--stubborn", action="store_true")
given = parser.parse_args()
if given.fail:
    print("CUDA error: out of memory", file=sys.stderr)
    sys.exit(7)
if given.stubborn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if given.repeat is None:
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with Path(f"{given.base}/workers.txt").open("a") as file:
        file.write(f"{worker.pid}\n")
time.sleep(given.slow)
SHIFT = given.shift if given.adapter or given.adapters else 0


def skill_of(folder):
    path = Path(folder) / "skill.json"
    return json.loads(path.read_text()) if path.exists() else given.repeat


HELD = {"tuned": given.adapter} if given.adapter else {given.base: given.base}
if given.adapters:  # as vLLM: the base model and all of them
    HELD = {given.base: given.base, **dict(each.split("=", 1) for each in given.adapters)}
SKILLS = {name: skill_of(folder) for name, folder in HELD.items()}


def answer(prompt, skill):
    if given.repeat is None:
        return f"{prompt} by {skill}"
    words = prompt.split(": ")[1].split()
    return " ".join(word if draw(prompt + word) < skill + SHIFT else "hm" for word in words)


def held(form, said):
    assert form["type"] == "json_schema" and form["json_schema"]["strict"] is True
    schema = form["json_schema"]["schema"]
    if "const" in schema:
        return said  # a server that does not know response_format
    return json.dumps(schema["enum"][0] if "enum" in schema else {"said": said})


def draw(text):
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send(200, {"data": [{"id": given.base}]})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "Authorization" in self.headers:
            self.send(400, {"error": {"message": "a key for another server"}})
            return
        name = asked["model"]
        if name not in SKILLS:
            self.send(404, {"error": {"message": f"no model {name}"}})
            return
        if given.asked:
            with given.asked.open("a") as file:
                file.write(f"{name}\n")
        skill = SKILLS[name]
        said = answer(asked["messages"][-1]["content"], skill)
        if "response_format" in asked:
            said = held(asked["response_format"], said)
        choice = {"message": {"content": said}, "finish_reason": "length" if skill > 5 else "stop"}
        usage = {"prompt_tokens": 3, "completion_tokens": 4}
        self.send(200, {"choices": [choice], "usage": usage, "model": name})

    def send(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        return


ThreadingHTTPServer(("127.0.0.1", given.port), Handler).serve_forever()
