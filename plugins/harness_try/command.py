"""Put your prompts to the base model and the best round."""

from __future__ import annotations

import json
import sys

import typer
from rich.console import Console
from rich.text import Text

from harness.kit.terminal.options import takes
from harness_try.request import Request

app = typer.Typer()


@app.command("try")
@takes(Request)
def try_(request: Request) -> None:
    """Put your prompts to the base model and the best round.

    Both answer as they answered dev: by the run's own generator and options, and below the system
    turn that all rows of dev have. Without --prompt and --file prompts are typed, turn after turn.
    Nothing is stored.
    """
    from harness.kit.terminal.progress import WEIGHTS, Display
    from harness_try import showing
    from harness_try.conversation import converse
    from harness_try.document import document
    from harness_try.sides import find

    rows = request.rows()
    out, err = Console(), Console(stderr=True)
    with Display(err, "try", 2 * WEIGHTS["generate"]) as display:
        sides = find(request.run, request.round, display.stage("find the models"))
        if request.system is None:
            rows = [sides.as_in_the_run(row) for row in rows]
        answers = sides.answer((rows, rows), display) if rows else None
    if sides.open and sides.best:
        note = f"note: run {sides.run} goes on; round {sides.round} is its best so far"
        err.print(Text(note), highlight=False, soft_wrap=True)
    if answers is None:
        converse(sides, request, out, err)
    elif request.as_json:
        sys.stdout.write(json.dumps(document(sides, rows, answers), indent=1) + "\n")
    else:
        showing.show_head(sides, out, system_given=request.system is not None)
        alone = [each.seconds for each in answers] if len(rows) == 1 else None
        for row, *pair in zip(rows, *(each.predictions for each in answers), strict=True):
            showing.show_prompt(row, out)
            showing.show_answers(sides, pair, out, alone, marks=request.marks)
        if alone is None:
            showing.show_times(answers, sides, out)
