"""The launcher ``ray``: jobs in actors of a Ray cluster, or of a Ray that is started here.

An actor does one job after the other and stays for a while, so that libraries and weights are in
its worker's memory for the next one. The cluster's machines see the working folder under one path.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

import harness
from harness.errors.installing import install_extra
from harness.kit import gate
from harness.kit.text import one_line
from harness_launchers.launcher import Launched, LaunchedJob, Launcher
from harness_launchers.node import Carrier

NAMESPACE = "harness"
IDLE_SECONDS = 300.0
"""After which an actor without a job ends, and gives back what it holds."""
STOP_SECONDS = 30.0
"""For which a job that was cancelled may go on to its next step."""
ANSWER_SECONDS = 5.0
"""For which an actor that runs may not answer."""
TAKEN_SECONDS = 30.0
"""For which an actor waits for the job that it was taken for."""
SPARE_SECONDS = 10.0
"""After which an actor without a job ends where another one waits for what it holds."""


class Ray(Launcher):
    """Jobs in actors of a Ray cluster, or of a Ray that is started here."""

    name = "ray"

    class Options(harness.Options):
        address: str = Field(
            "", description="of a cluster: auto, or HOST:PORT; empty: a Ray of the run's own"
        )

    options: Options

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self._connecting = threading.Lock()
        self._forget()

    def check(self, settings: Mapping[str, Any]) -> Iterator[harness.Problem]:
        """The package that is not there."""
        if importlib.util.find_spec("ray") is None:
            message = f"it needs the package ray: {install_extra('ray')}"
            yield harness.Problem(message, level="environment")

    def submit(self, job: LaunchedJob) -> str:
        ray = self._connected()
        try:
            actor = self._jobs.get(job.name) or self._with_room(ray, job.resources)
            self._begins[job.name] = self._handles[actor].begin.remote(str(job.folder), job.name)
        except ray.exceptions.RayError as error:
            raise self._lost(error) from error
        self._jobs[job.name] = actor
        return f"{actor}/{job.name}"

    def state(self, id: str) -> Launched:
        actor, _, job = id.partition("/")
        if not self.options.address and not _started():
            return Launched("gone", "its Ray ended with the run that had started it")
        ray = self._connected()
        try:
            handle = self._handles.get(actor) or ray.get_actor(actor)
            # Calls of an actor with several threads may overtake each other.
            if job in self._begins:
                ray.get(self._begins[job], timeout=ANSWER_SECONDS)
                del self._begins[job]
            answer = ray.get(handle.state.remote(job), timeout=ANSWER_SECONDS)
        except ValueError:
            return Launched("gone", "Ray does not know it")
        except ray.exceptions.GetTimeoutError:
            # Not those that wait themselves: Ray would keep each question until they begin.
            waiting = {
                self._jobs[name]
                for name, begin in self._begins.items()
                if not ray.wait([begin], timeout=0)[0]
            }
            for other in self._held.keys() - waiting:
                self._handles[other].give_way.remote()
            return Launched("waiting", "for free resources of the cluster")
        except ray.exceptions.OutOfMemoryError as error:
            return Launched("failed", one_line(str(error), 200), out_of_memory=True)
        except ray.exceptions.ActorUnavailableError as error:  # it may go on with the job
            raise harness.EnvironmentFailure(one_line(str(error), 200)) from error
        except ray.exceptions.RayActorError as error:
            self._held.pop(actor, None)
            for name in [name for name, of in self._jobs.items() if of == actor]:
                del self._jobs[name]
                self._begins.pop(name, None)
            said = one_line(str(error), 200)
            return Launched("gone" if "`ray.kill`" in str(error) else "failed", said)
        except ray.exceptions.RayError as error:
            raise self._lost(error) from error
        return Launched(*answer)

    def cancel(self, id: str) -> None:
        actor, _, job = id.partition("/")
        if self.state(id).state == "running":
            self._connected().get_actor(actor).stop.remote(job)
        elif self.state(id).state == "waiting":
            self._connected().kill(self._connected().get_actor(actor))

    def close(self) -> None:
        if self._held and not self.options.address:
            _library().shutdown()
        self._forget()

    def _forget(self) -> None:
        self._held: dict[str, harness.Resources] = {}
        """What each living actor holds."""
        # Of dead ones, too: Ray forgets their names at once, and by these says how they ended.
        self._handles: dict[str, Any] = {}
        self._jobs: dict[str, str] = {}
        self._begins: dict[str, Any] = {}

    def _lost(self, error: Exception) -> harness.EnvironmentFailure:
        """The cluster does not answer as the one that it was: the next question connects anew."""
        _library().shutdown()
        self._forget()
        return harness.EnvironmentFailure(f"Ray does not answer: {one_line(str(error), 200)}")

    def _connected(self) -> Any:
        ray = _library()
        # Of jobs at a time one connects, and the others find it done: Ray takes no second call.
        with self._connecting:
            if not ray.is_initialized():
                self._connect(ray)
        return ray

    def _connect(self, ray: Any) -> None:
        given = {"address": self.options.address} if self.options.address else {}
        own = {} if given else {"include_dashboard": False}
        try:
            ray.init(
                **given, **own, namespace=NAMESPACE, log_to_driver=False, configure_logging=False
            )
            self._find(ray)
        except (
            ConnectionError, RuntimeError, ValueError, OSError, ray.exceptions.RayError,
        ) as error:  # fmt: skip
            where = self.options.address or "of the run's own"
            raise harness.EnvironmentFailure(
                f"Ray ({where}) cannot be reached: {one_line(str(error), 200)}",
                hint="`ray start --head` starts a cluster that address: auto finds; with "
                "HOST:PORT, one that asks for a token wants RAY_AUTH_MODE=token here",
            ) from error

    def _find(self, ray: Any) -> None:
        """Jobs of an earlier process, whose actors are there still."""
        for named in ray.util.list_named_actors(all_namespaces=True):
            if named["namespace"] == NAMESPACE and named["name"].startswith("harness-"):
                actor = ray.get_actor(named["name"])
                try:
                    needs, jobs = ray.get(actor.known.remote(), timeout=ANSWER_SECONDS)
                except ray.exceptions.RayError:  # it waits to begin, or ends
                    continue
                self._held[named["name"]] = harness.Resources(*needs)
                self._handles[named["name"]] = actor
                self._jobs |= dict.fromkeys(jobs, named["name"])

    def _with_room(self, ray: Any, needs: harness.Resources) -> str:
        """Name of an actor without a job that holds what this one needs; a new one if need be."""
        for name in [name for name, held in self._held.items() if held == needs]:
            try:
                if ray.get(self._handles[name].taken.remote(), timeout=1.0):
                    return name
            except ray.exceptions.GetTimeoutError:
                continue
            except ray.exceptions.RayActorError:
                del self._held[name]
        name = f"harness-{os.urandom(4).hex()}"
        memory = {"memory": needs.memory * 2**20} if needs.memory else {}
        actor = ray.remote(Actor).options(
            name=name, namespace=NAMESPACE, lifetime="detached", max_concurrency=8,
            num_cpus=needs.cpus or 1, num_gpus=needs.gpus, **memory,
        ).remote((needs.gpus, needs.cpus, needs.memory, needs.hours))  # fmt: skip
        self._held[name] = needs
        self._handles[name] = actor
        return name


class Actor:
    """Does jobs where Ray has put it, one at a time.

    Args:
        needs: what it holds, as :class:`harness.Resources` has it.
    """

    def __init__(self, needs: tuple[int, int, int, float]) -> None:
        self.needs = needs
        self.states: dict[str, tuple[str, str]] = {}
        self.stops: dict[str, threading.Event] = {}
        self.carrier = Carrier()
        # It was made for a job, and calls may overtake each other: another job may ask first.
        self.since = time.monotonic()
        self.taken_until = self.since + TAKEN_SECONDS
        self.lock = threading.Lock()
        threading.Thread(target=self._end_when_idle, daemon=True).start()

    def taken(self) -> bool:
        """Whether it was without a job; it waits for the next one from now on."""
        with self.lock:
            if free := self._is_free():
                self.since = time.monotonic()
                self.taken_until = self.since + TAKEN_SECONDS
            return free

    def give_way(self) -> None:
        """End if it is without a job: another actor waits for what it holds."""
        self._end_after(SPARE_SECONDS)

    def _end_after(self, seconds: float) -> None:
        with self.lock:
            if self._is_free() and time.monotonic() - self.since > seconds:
                os._exit(0)

    def _is_free(self) -> bool:
        at_work = any(state == "running" for state, _ in self.states.values())
        return not at_work and time.monotonic() > self.taken_until

    def known(self) -> tuple[tuple[int, int, int, float], list[str]]:
        return self.needs, list(self.states)

    def begin(self, folder: str, name: str) -> None:
        with self.lock:
            if name in self.states:
                return
            self.states[name] = "running", f"on {os.uname().nodename}"
            stop = self.stops[name] = threading.Event()
        threading.Thread(target=self._do, args=(Path(folder), name, stop), daemon=True).start()

    def _do(self, folder: Path, name: str, stop: threading.Event) -> None:
        over = time.monotonic() + 3600 * self.needs[3] if self.needs[3] else float("inf")
        try:
            done = self.carrier.do(folder, name, lambda: stop.is_set() or time.monotonic() > over)
            ended = ("ended", "") if done else ("failed", "")
        except BaseException as error:
            ended = "failed", str(error)
        with self.lock:
            self.states[name] = ended
            self.since, self.taken_until = time.monotonic(), 0.0

    def state(self, name: str) -> tuple[str, str]:
        return self.states.get(name, ("gone", "its actor does not know it"))

    def stop(self, name: str) -> None:
        if name in self.stops:
            self.stops[name].set()
            threading.Timer(STOP_SECONDS, self._end, args=(name,)).start()

    def _end(self, name: str) -> None:
        if self.states[name][0] == "running":
            self.carrier.close()

    def _end_when_idle(self) -> None:
        while True:
            time.sleep(1)
            self._end_after(IDLE_SECONDS)


def _started() -> bool:
    """Whether this process is within a Ray, without importing it."""
    return "ray" in sys.modules and bool(_library().is_initialized())


def _library() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        ray = gate.library("ray", "ray", by="launcher 'ray'")
    except ImportError as error:
        raise harness.EnvironmentFailure(
            "the package ray is not installed", hint=install_extra("ray")
        ) from error
    logging.getLogger("ray").setLevel(logging.ERROR)
    return ray
