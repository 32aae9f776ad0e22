"""A server as a program: it serves one model folder, as `vllm serve` would."""

from __future__ import annotations

import argparse
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
parser.add_argument("--port", type=int)
parser.add_argument("--slow", type=float, default=0)
parser.add_argument("--fail", action="store_true")
parser.add_argument("--stubborn", action="store_true")
given = parser.parse_args()
if given.fail:
    print("CUDA error: out of memory", file=sys.stderr)
    sys.exit(7)
if given.stubborn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with Path(f"{given.base}/workers.txt").open("a") as file:
    file.write(f"{worker.pid}\n")
time.sleep(given.slow)
SKILL = json.loads((Path(given.adapter or given.base) / "skill.json").read_text())


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send(200, {"data": [{"id": given.base}]})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "Authorization" in self.headers:
            self.send(400, {"error": {"message": "a key for another server"}})
            return
        known = "tuned" if given.adapter else given.base
        if asked["model"] != known:
            self.send(404, {"error": {"message": f"no model {asked['model']}"}})
            return
        said = f"{asked['messages'][-1]['content']} by {SKILL}"
        choice = {"message": {"content": said}, "finish_reason": "length" if SKILL > 5 else "stop"}
        usage = {"prompt_tokens": 3, "completion_tokens": 4}
        self.send(200, {"choices": [choice], "usage": usage, "model": known})

    def send(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        return


ThreadingHTTPServer(("127.0.0.1", given.port), Handler).serve_forever()
