"""The baseline ``schema``: the prompts of ``few-shot``, answers held to the form of train's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field

import harness
from harness.kit.forms import FormOptions
from harness_prompts.few_shot import FewShot
from harness_prompts.forms import form_of


class Schema(FewShot):
    """The prompts of `few-shot`, and answers that cannot be of another form than those of train.

    What it gains on few-shot is form; what the best round gains on it is content.
    """

    name = "schema"
    revision = 1
    known_as = ("grammar", "json-schema", "guided")

    class Options(FewShot.Options, FormOptions):
        k: int = Field(
            3, ge=0, le=64, description="examples of train before each prompt, as for few-shot"
        )

    options: Options

    def prompts(
        self,
        rows: Sequence[harness.Example],
        train: Sequence[harness.Example],
        context: harness.Context,
    ) -> Iterator[harness.Example]:
        return super().prompts(rows, train, context) if self.options.k else iter(rows)

    def description(self, train: Sequence[harness.Example]) -> str:
        form = self.form(train)
        if not isinstance(form, Mapping):
            held = f"one of {len(form)}: {'; '.join(form)}"
        elif keys := form.get("properties"):
            held = f"JSON with {', '.join(json.dumps(key, ensure_ascii=False) for key in keys)}"
        else:
            held = "JSON of a schema"
        before = super().description(train) if self.options.k else "nothing before the prompts"
        return f"{before}; answers are held to {held}"

    def form(self, train: Sequence[harness.Example]) -> harness.Form:
        """See :meth:`harness.Baseline.form`."""
        form = self.options.form()
        if form is None:
            form = form_of([row.references[0] for row in train if row.references])
        if form is None:
            raise harness.ConfigError(
                "the answers of train have no form that could be held to: they are neither JSON "
                "nor few texts that are given again and again",
                hint="take the baseline out, or say the form: {plugin: schema, schema: FILE}",
            )
        return form
