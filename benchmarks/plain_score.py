"""What a user would otherwise write: BLEU, ROUGE and METEOR with the libraries, nothing else.

Run by ``scoring.py`` in a folder with answers.jsonl and references.jsonl; prints JSON.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

from nltk.translate.meteor_score import meteor_score  # noqa: E402
from rouge_score.rouge_scorer import RougeScorer  # noqa: E402
from sacrebleu import BLEU  # noqa: E402

from harness_nltk import WORDS  # noqa: E402 - the same regular expression for both sides
from harness_nltk.build_wordnet import nltk_reader  # noqa: E402

with open("answers.jsonl") as stream:
    answers = {row["id"]: row["text"] for row in map(json.loads, stream)}
with open("references.jsonl") as stream:
    rows = [(answers[row["id"]], row["references"]) for row in map(json.loads, stream)]

types = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
scorer = RougeScorer(types, use_stemmer=True)
sentence = BLEU(effective_order=True)
reader = nltk_reader(Path(sys.argv[1]))
totals = dict.fromkeys([*types, "meteor"], 0.0)
own = []
for answer, references in rows:
    scores = scorer.score_multi(references, answer)
    for kind in types:
        totals[kind] += scores[kind].fmeasure
    own.append(sentence.sentence_score(answer, references).score)
    totals["meteor"] += meteor_score(
        [WORDS.findall(text) for text in references], WORDS.findall(answer), wordnet=reader
    )
found = {name: total / len(rows) for name, total in totals.items()}
columns = [list(column) for column in zip(*(refs for _, refs in rows), strict=True)]
found["bleu"] = BLEU().corpus_score([answer for answer, _ in rows], columns).score
print(json.dumps(found))
