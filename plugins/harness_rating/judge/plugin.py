"""``judge``: a model rates by the rubric that raters rate by; uncalibrated until they agree."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import harness
from harness_rating.judge.options import ModelOptions, check, foresee
from harness_rating.rubric_scores import Pairs, RubricOptions, RubricScores

if TYPE_CHECKING:
    from harness import Item, Judgement, Rubric
    from harness_rating.judge.prompted import PromptedJudge


class ModelJudge(harness.Judge):
    """A model behind an API, or in a folder, that rates the items of a batch."""

    name = "judge"

    class Options(ModelOptions):
        pass

    options: Options

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        check(self.options)

    def inputs(self) -> Sequence[Path]:
        return _model_files(self.options)

    def signature(self) -> str:
        return f"judge|rev:{self.revision}|{_settings(self.options)}"

    def rate(
        self, rubric: Rubric, items: Sequence[Item], context: harness.Context
    ) -> Iterator[Judgement]:
        """See :meth:`harness.Judge.rate`."""
        from harness_rating.judge.prompted import PromptedJudge

        # All that a model can be asked: whoever asks for a better answer means raters.
        wanted = [criterion.id for criterion in rubric.criteria if criterion.scale.kind != "text"]
        engine = PromptedJudge(rubric, self.options, wanted)
        yield from engine.judge(items, context.progress)


class JudgeMetric(RubricScores):
    """A model's ratings by a rubric: the overall score, and one for each criterion, 0 to 1.

    Everything is asked before anything is measured, and kept by content, so that the same answer
    is never asked for twice.
    """

    name = "judge"

    class Options(RubricOptions, ModelOptions):
        pass

    options: Options

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        check(self.options)
        self._calibrated: tuple[str, bool] | None = None  # by what ratings, and whether it is

    def score_names(self) -> Sequence[str]:
        """The overall score, then the criteria that can be counted.

        Raises:
            ConfigError: the rubric compares two answers.
        """
        if self._rubric.pairwise:
            raise harness.ConfigError(
                f"rubric {self._rubric.id} compares two answers, and a metric scores one",
                hint="harness rate judge rates a batch of pairs",
            )
        return ("judge", *(f"judge-{name}" for name in self._names))

    def check(self, settings: Mapping[str, Any]) -> Iterable[harness.Problem]:
        """See :meth:`harness.Plugin.check`."""
        return foresee(self.options, settings)

    def signature(self) -> str:
        """Rubric, instructions, model and sampling; never the address or the key."""
        from harness.kit.files import digest
        from harness_rating.judge.judgements import settings
        from harness_rating.rubric.scoring import scoring_digest

        rubric = self._rubric
        instructions = digest(settings(rubric).instructions)
        return (
            f"judge|id:{rubric.id}|version:{rubric.version}|scoring:{scoring_digest(rubric)[:8]}|"
            f"instructions:{instructions[:8]}|rev:{self.revision}|"
            f"{_settings(self.options, self._samples)}"
        )

    def inputs(self) -> Sequence[Path]:
        return (self.options.rubric, *_model_files(self.options))

    def requests(self, rows: Sequence[harness.Example], count: int) -> harness.Requests | None:
        """See :meth:`harness.Plugin.requests`: for answers as long as the references."""
        from harness.kit.remote.client import foreseen
        from harness_rating.judge.remarks import items_of

        if self.options.local is not None:
            return None
        like = [
            (harness.Prediction(row.id, max(row.references, key=len, default="")), row)
            for row in rows
        ]
        questions = self._engine.questions(items_of(self._rubric, like))
        return foreseen(self.options, (each.request for each in questions), sure=False)

    def ready(self, pairs: Pairs) -> None:
        """Ask for all that is not kept yet.

        Raises:
            EnvironmentFailure: some answers could not be judged; what is judged is kept.
        """
        from harness_rating.judge.remarks import items_of

        self._calibrated = None
        for _ in self._engine.judge(items_of(self._rubric, pairs), self.progress):
            pass  # the reply is stored, and measure reads it

    def measure(
        self, prediction: harness.Prediction, example: harness.Example
    ) -> Sequence[float] | None:
        """For each score its value and 1, or two zeros where nothing counts; None if not asked.

        Raises:
            ValueError: what the judge said of it could not be read.
        """
        from harness_rating.judge.remarks import items_of, statistics

        (item,) = items_of(self._rubric, [(prediction, example)])
        judged = self._engine.stored(item)
        return None if judged is None else statistics(self._rubric, judged, self._names)

    def caveat(self) -> str:
        """``uncalibrated`` until ratings in the folder agree with what is kept."""
        from harness.kit.files import files_digest
        from harness_rating.judge.remarks import calibrated

        ratings = files_digest(self.growing())
        if self._calibrated is None or self._calibrated[0] != ratings:
            self._calibrated = ratings, calibrated(self._rubric, self._engine, self._folder)
        return "" if self._calibrated[1] else "uncalibrated"

    def remarks(self, pairs: Pairs) -> Sequence[str]:
        """Calibrated or not, bias, length bias, self-consistency."""
        from harness_rating.judge.remarks import remark

        return [remark(self._rubric, self._engine, pairs, self._folder)]

    @functools.cached_property
    def _names(self) -> tuple[str, ...]:
        from harness_rating.ratings.by_answer import numeric_criteria

        return tuple(criterion.id for criterion in numeric_criteria(self._rubric))

    @functools.cached_property
    def _samples(self) -> int:
        from harness_rating.judge.judgements import settings

        return self.options.samples or settings(self._rubric).samples

    @functools.cached_property
    def _engine(self) -> PromptedJudge:
        from harness_rating.judge.prompted import PromptedJudge

        return PromptedJudge(self._rubric, self.options, self._names)


def _settings(options: ModelOptions, samples: int | None = None) -> str:
    """What decides what a model says. One in a folder is known by its content, not by its name."""
    model = options.model
    if options.local is not None:
        from harness_rating.judge.local import identity

        model = f"local-{identity(options.local)[:12]}"
    many = samples or options.samples or "rubric"
    return (
        f"model:{model}|samples:{many}|temperature:{options.temperature}|"
        f"max_tokens:{options.max_tokens}|tries:{options.tries}"
    )


def _model_files(options: ModelOptions) -> Sequence[Path]:
    if options.local is None:
        return ()
    from harness_rating.judge.local import files

    return files(options.local)
