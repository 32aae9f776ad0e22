"""What the experiments of a config ask for, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.boundary.calls import plainly
from harness.config.loading import Config
from harness.config.plugin_checks import ask
from harness.config.plugin_entries import PluginEntry
from harness.config.variants import Variants
from harness.stages import Intent
from harness.stages.experiment import intended


def intents(config: Config) -> Iterator[Intent]:
    """What each installed experiment is asked for.

    Raises:
        ConfigError: with all that is wrong with the first that cannot be what the config says.
        PluginError: a plugin fails.
    """
    for entry in config.experiments:
        with plainly(entry.named):
            intent = intended(entry.instance, Variants(config))
        yield intent


def checked(config: Config) -> Sequence[Intent]:
    """The same, once the plugins that they give other settings have said that they can work.

    Raises:
        ConfigError, EnvironmentFailure: with all that is wrong.
    """
    asked, variants = list(intents(config)), Variants(config)
    problems = variants.problems()
    for intent in asked:
        for place, changes in intent.changes:
            other = variants.changed(changes, "")
            own = [entry.shown() for entry in _differing(config)]
            for entry in _differing(other):
                if entry.shown() not in own:
                    ask([(place, entry)], other.shown(), problems)
    problems.done()
    return asked


def _differing(config: Config) -> Sequence[PluginEntry]:
    """The plugins in which a branch may differ from its run."""
    return config.model, *config.trainers, config.generate


def parts(config: Config) -> frozenset[str]:
    """What has to be done before a run of the config counts as finished."""
    return frozenset(part for intent in intents(config) for part in intent.parts)
