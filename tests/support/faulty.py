"""Plugins of every stage that do what the option ``fault`` says: for the tests of faults."""

from __future__ import annotations

import errno
from pathlib import Path

import harness
from harness.registry import import_file

fakes = import_file(Path(__file__).with_name("fakes.py"))


class Own(BaseException):
    pass


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no text either")


def _raise(error):
    raise error


def _deep():
    return _deep()


RAISES = {
    "value": lambda: _raise(ValueError("a wrong shape")),
    "own": lambda: _raise(Own("mine")),
    "generator exit": lambda: _raise(GeneratorExit()),
    "exit": lambda: _raise(SystemExit("good bye")),
    "mute": lambda: _raise(Mute()),
    "surrogate": lambda: _raise(ValueError("lone \ud800 surrogate")),
    "stop": lambda: _raise(StopIteration("early")),
    "deep": _deep,
    "memory": lambda: _raise(MemoryError()),
    "disk": lambda: _raise(OSError(errno.ENOSPC, "No space left on device", "/full/x")),
    "io": lambda: _raise(OSError(errno.EIO, "Input/output error")),
}


class Options(harness.Options):
    fault: str = ""


def do(fault):
    """Raise what the fault says."""
    RAISES.get(fault, lambda: None)()


class Source(fakes.FakeSource):
    name = "faulty"

    class Options(fakes.FakeSource.Options):
        fault: str = ""
        train: int = 8
        pool: int = 4
        dev: int = 6
        test: int = 6

    def load(self, context):
        do(self.options.fault)
        return super().load(context)


class Model(fakes.FakeModel):
    name = "faulty"

    class Options(fakes.FakeModel.Options):
        fault: str = ""

    def fetch(self, context):
        do(self.options.fault)
        return super().fetch(context)


class Trainer(fakes.FakeTrainer):
    name = "faulty"

    class Options(fakes.FakeTrainer.Options):
        fault: str = ""

    def train(self, base, train, valid, context):
        do(self.options.fault)
        return super().train(base, train, valid, context)


class Generator(fakes.FakeGenerator):
    name = "faulty"

    class Options(fakes.FakeGenerator.Options):
        fault: str = ""

    def generate(self, checkpoint, examples, context):
        do(self.options.fault)
        yield from super().generate(checkpoint, examples, context)


class Metric(harness.Metric):
    name = "faulty"
    Options = Options

    def measure(self, prediction, example):
        do(self.options.fault)
        return 0.5

    def beside(self, own, others):
        return None if self.options.fault == "beside" else self


class Detector(fakes.FakeDetector):
    name = "faulty"

    class Options(fakes.FakeDetector.Options):
        fault: str = ""

    def detect(self, scored):
        do(self.options.fault)
        return ["cut off"] if self.options.fault == "wrong" else super().detect(scored)


class Analyzer(fakes.FakeAnalyzer):
    name = "faulty"

    class Options(fakes.FakeAnalyzer.Options):
        fault: str = ""

    def analyze(self, evidence, context):
        do(self.options.fault)
        return harness.Findings()


class Augmenter(fakes.FakeAugmenter):
    name = "faulty"

    class Options(fakes.FakeAugmenter.Options):
        fault: str = ""

    def propose(self, item, data, context):
        do(self.options.fault)
        if self.options.fault == "wrong":
            yield harness.Example(None, ({"role": "user", "content": "x"},), ("y",))
        yield from super().propose(item, data, context)


class Reporter(harness.Reporter):
    name = "faulty"

    class Options(Options):
        show: str = ""

    def write(self, document, folder):
        do(self.options.fault)
        return None if self.options.fault == "wrong" else []

    def show(self, document, console):
        do(self.options.show)
        return True


class Section(harness.Section):
    name = "faulty"
    Options = Options

    def rows(self, document, database):
        do(self.options.fault)
        return ["no row"] if self.options.fault == "wrong" else [{"a": 1}]


ALL = (
    Source, Model, Trainer, Generator, Metric, Detector, Analyzer, Augmenter, Reporter, Section,
)  # fmt: skip


def _hook(kind):
    def hook():
        return [kind]

    hook.__name__ = f"register_{kind.stage}s"
    return harness.hookimpl(hook)


globals().update({f"register_{kind.stage}s": _hook(kind) for kind in ALL})
