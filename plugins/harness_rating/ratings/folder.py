"""The folder of batches: what was made, and what raters did in it.

One :class:`RatingsFolder` is opened for a command, a metric or a report. It parses each file once,
and again only after the file has changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from harness import ConfigError, HarnessError, Rubric, UsageError, from_json, near
from harness.kit.files import digest, file_digest, read_json
from harness_rating.batches.composing import check_meta, compose, content_of
from harness_rating.batches.records import FOLDER, REVIEW, SETTLED, Batch, Event, Rating
from harness_rating.batches.sampling import GROUP, Candidate, SampleSpec, draw
from harness_rating.batches.spec import BatchSpec
from harness_rating.batches.storage import UNREADABLE, damaged, parse, publish
from harness_rating.ratings import resolved
from harness_rating.ratings.events import Events
from harness_rating.ratings.folding import State, fold, item_state, ordered
from harness_rating.rubric.scoring import asked_criteria, version_problem

T = TypeVar("T")
FileVersion = tuple[int, int, int] | None
"""Size, time and inode of a file; None where there is none."""
Version = tuple[FileVersion, ...]
"""What tells whether any of some files has changed."""


class RatingsFolder:
    """Batches and their ratings.

    Args:
        path: where the batches lie, each in a folder of its name.
    """

    def __init__(self, path: Path = FOLDER) -> None:
        self.path = path
        self._memo: dict[Hashable, tuple[Version, Any]] = {}

    # -- batches --------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The batches of the folder, by name."""
        names = (path.parent.name for path in self.path.glob("*/batch.json"))
        return sorted(name for name in names if name[0] != ".")

    def batch(self, name: str) -> Batch:
        """A batch as it was made.

        Raises:
            UsageError: there is none of that name.
            DataError: a file of it was changed or is damaged.
        """
        names = self.names()
        if name not in names:
            hint = f"there are: {', '.join(names)}" if names else "harness rate create makes one"
            raise UsageError(f"there is no batch '{name}'{near(name, names)}", hint=hint)
        folder = self.path / name
        paths = [folder / "batch.json", folder / "items.json"]
        try:
            return self._cached(
                ("batch", name), paths,
                lambda: parse(name, self._document(name), read_json(folder / "items.json")),
            )  # fmt: skip
        except UNREADABLE:
            raise damaged(folder) from None

    def create(self, spec: BatchSpec, candidates: Sequence[Candidate]) -> Batch:
        """The batch of this specification, made now or before: its name is a digest of content.

        Args:
            candidates: the run's answers (:func:`harness_rating.batches.candidates.candidates`).

        Raises:
            UsageError: it contradicts itself, or the rubric's wording changed and its version
                did not.
            DataError: more examples are wanted than there are.
        """
        spec.check()
        chosen = draw(candidates, SampleSpec(spec.strategy, spec.n, spec.seed, spec.by or GROUP))
        content = content_of(spec, chosen)
        name = f"{spec.rubric.id}-{digest(content)[:8]}"
        self._check_version(spec.rubric)
        if (self.path / name).exists():
            if not (self.path / name / "batch.json").exists():
                raise damaged(self.path / name)  # there may be ratings in it
            return self.batch(name)  # the same content was drawn before
        check_meta(spec.rubric, chosen)
        publish(compose(name, spec, chosen, digest(["secret", content])), content, self.path)
        return self.batch(name)

    def of_run(self, run: str) -> tuple[list[Batch], list[str]]:
        """Every whole batch of the run's answers, by name, and a sentence for each damaged one."""
        batches: list[Batch] = []
        notes: list[str] = []
        for name in self.names():
            if self._run_of(name) not in (run, None):
                continue
            try:
                batch = self.batch(name)
            except HarnessError as error:
                notes.append(f"the ratings of batch {name} are left out: {error.what}")
                continue
            if batch.run == run:
                batches.append(batch)
        return batches, notes

    def digest_of(self, run: str) -> str | None:
        """Digest of all files of the run's batches that have ratings; None without any.

        It is light: it is asked for whenever a finished run is shown, to see late ratings.
        """
        entries = []
        for name in self.names():
            folder, event_files = self.path / name, self._event_files(name)
            if event_files and self._run_of(name) == run:
                files = [folder / "batch.json", folder / "items.json", *event_files]
                entries += [
                    [name, path.name, file_digest(path)] for path in files if path.is_file()
                ]
        return digest(entries) if entries else None

    def by_rubric(self, rubric: Rubric, *, samples: bool = True) -> list[Batch]:
        """The batches that were rated by this rubric and version.

        Args:
            samples: only those that stand for the whole set.

        Raises:
            ConfigError: the rubric's wording has changed since, and its version has not.
            DataError: a batch of the rubric is damaged.
        """
        batches = []
        for name in self.names():
            if not self._is_of(name, rubric):
                continue
            batch = self.batch(name)
            if trouble := version_problem(batch.rubric, rubric):
                raise ConfigError(trouble, where=f"batch {name}", hint="or restore the wording")
            if batch.verdicts or not samples:
                batches.append(batch)
        return batches

    def files(self, rubric: Rubric, *, samples: bool = True) -> list[Path]:
        """All files that the ratings by this rubric are read from, in a fixed order."""
        paths: list[Path] = []
        for batch in self.by_rubric(rubric, samples=samples):
            paths += [self.path / batch.name / "batch.json", *self._event_files(batch.name)]
        return paths

    def version(self, rubric: Rubric) -> Version:
        """What tells whether a file of these has changed, or one more has come."""
        return tuple(map(_version, self.files(rubric)))

    # -- ratings --------------------------------------------------------------------------------

    def events(self, batch: Batch, rater: str) -> Sequence[Event]:
        """Every event of a rater (:meth:`harness_rating.ratings.events.Events.all`)."""
        log = Events(self.path / batch.name, rater)
        return self._cached(("events", batch.name, rater), [log.path], log.all)

    def settlers(self, batch: Batch) -> tuple[str, ...]:
        """The names ``settled-<who>`` under which disagreements were settled."""
        names = [path.stem for path in self._event_files(batch.name)]
        return tuple(name for name in names if name.startswith(SETTLED))

    def last_ratings(self, batch: Batch, rater: str) -> Sequence[Rating]:
        """The last value that a rater gave to each criterion of each item, repeats included."""
        return self._cached(
            ("last", batch.name, rater), [self._events_path(batch, rater)],
            lambda: list(fold(self.events(batch, rater)).values()),
        )  # fmt: skip

    def ratings(self, batch: Batch, rater: str | None = None) -> Sequence[Rating]:
        """The same of all raters, or of one, without questions that later answers took away."""
        if rater is None:
            return [rating for name in batch.raters for rating in self.ratings(batch, name)]
        return self._cached(
            ("ratings", batch.name, rater), [self._events_path(batch, rater)],
            lambda: self._asked_ratings(batch, rater),
        )  # fmt: skip

    def settled(self, batch: Batch) -> list[Rating]:
        """What was settled after raters had disagreed; the rater is ``settled-<who>``."""
        return [
            rating for name in self.settlers(batch) for rating in self.last_ratings(batch, name)
        ]

    def all_ratings(self, batch: Batch) -> list[Rating]:
        """Those of raters, then what was settled."""
        return [*self.ratings(batch), *self.settled(batch)]

    def complete(self, batch: Batch) -> resolved.ByItem:
        """Item -> rater -> values (:func:`harness_rating.ratings.resolved.complete`)."""
        return self._cached(
            ("complete", batch.name), self._event_files(batch.name),
            lambda: resolved.complete(batch, self.all_ratings(batch)),
        )  # fmt: skip

    def state(self, batch: Batch, rater: str) -> State:
        """How far a rater is, items in the order of showing."""
        events_of: dict[str, list[Event]] = defaultdict(list)
        for event in ordered(self.events(batch, rater)):
            events_of[event.item].append(event)
        # Who settles has no assignment: what they did something about is shown.
        items = batch.assignments.get(rater, tuple(events_of))
        states = (item_state(batch.rubric, item, events_of[item]) for item in items)
        return State(rater, tuple(states))

    def seconds(self, batch: Batch) -> dict[tuple[str, str], float]:
        """(rater, item) -> time on it: the most seconds that an event of the rater reports."""
        seconds: dict[tuple[str, str], float] = {}
        for rater in batch.raters:
            for event in self.events(batch, rater):
                if event.seconds is not None:
                    key = rater, event.item
                    seconds[key] = max(seconds.get(key, 0.0), event.seconds)
        return seconds

    # -- reading --------------------------------------------------------------------------------

    def _cached(self, key: Hashable, paths: Sequence[Path], read: Callable[[], T]) -> T:
        """What ``read`` gives, called again only after one of the files has changed."""
        version = tuple(map(_version, paths))
        if key not in self._memo or self._memo[key][0] != version:
            # The version of before: what is written while `read` reads makes it be called again.
            self._memo[key] = version, read()
        result: T = self._memo[key][1]
        return result

    def _document(self, name: str) -> Any:
        path = self.path / name / "batch.json"
        return self._cached(("document", name), [path], lambda: read_json(path))

    def _events_path(self, batch: Batch, rater: str) -> Path:
        return Events(self.path / batch.name, rater).path

    def _event_files(self, name: str) -> list[Path]:
        return sorted((self.path / name / "events").glob("*.jsonl"))

    def _asked_ratings(self, batch: Batch, rater: str) -> list[Rating]:
        by_item: dict[str, list[Rating]] = defaultdict(list)
        for rating in self.last_ratings(batch, rater):
            by_item[rating.item].append(rating)
        asked_ratings: list[Rating] = []
        for ratings in by_item.values():
            values = {rating.criterion: rating.value for rating in ratings}
            asked = {criterion.id for criterion in asked_criteria(batch.rubric, values)}
            asked_ratings += [rating for rating in ratings if rating.criterion in asked]
        return asked_ratings

    def _run_of(self, name: str) -> str | None:
        """The run whose answers a batch holds, empty if it holds rows; None where that cannot be
        told any more."""
        try:
            document = self._document(name)
            run = "" if document["strategy"] == REVIEW else document["run"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return run if isinstance(run, str) else None

    def _is_of(self, name: str, rubric: Rubric) -> bool:
        """Whether a batch is of this rubric and version, by its name alone where it is damaged."""
        try:
            stored = self._document(name)["rubric"]
            return bool((stored["id"], stored["version"]) == (rubric.id, rubric.version))
        except (OSError, ValueError, TypeError, KeyError):
            if name.rpartition("-")[0] != rubric.id:
                return False  # a batch is called after its rubric
            raise damaged(self.path / name) from None

    def _check_version(self, rubric: Rubric) -> None:
        """A rubric of one version has one wording; its weights and its judge may change."""
        for name in self.names():
            try:
                problem = version_problem(from_json(Rubric, self._document(name)["rubric"]), rubric)
            except UNREADABLE:
                continue  # a damaged batch says so where it is used
            if problem:
                raise UsageError(problem, where=f"batch {name}", hint="or restore its wording")


def _version(path: Path) -> FileVersion:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns, state.st_ino
