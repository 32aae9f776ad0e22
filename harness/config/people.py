"""What a config asks of people that they cannot give, said before anything is run."""

from __future__ import annotations

from collections.abc import Sequence

from harness.config.loading import Config
from harness.config.plugin_entries import Entry, Problems


def check_control(metrics: Sequence[Entry], augment: Sequence[Entry], problems: Problems) -> None:
    """Refuse a control arm beside a metric whose values people give.

    Batches hold answers of the main arm, so the run would wait for the control's for ever.
    """
    asked = _asked(metrics)
    if not asked:
        return
    for entry in augment:
        if entry.control == "random":
            problems.add(
                ("augment", entry.index),
                f"control: random makes a second arm, but '{asked[0].name}' is what people say, "
                "and they rate the main arm's answers only: the run would wait for ever. Take "
                "control: out, or take that metric out of this run",
            )
            return


def sealed_note(config: Config) -> str:
    """What the final verdict cannot say where people decide; empty where they do not."""
    from harness.scoring import Entry as MetricEntry

    primary = config.settings.primary
    for entry in _asked(config.metrics):
        if primary in MetricEntry(entry.name, entry.instance).score_names:
            return (
                f"note: '{primary}' decides, and people do not rate test: the test set is opened "
                "at the end, its verdict will read no evidence, and the other scores of test are "
                "shown. Rounds are compared on dev."
            )
    return ""


def _asked(metrics: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in metrics if entry.instance.by_people]
