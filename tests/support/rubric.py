"""A short rubric, by which a model judges: one criterion."""

RUBRIC = """\
schema: harness.rubric/1
id: short
version: 1
title: Short
instructions: Read the answer, then judge it.
criteria:
  - id: right
    title: Right
    question: Is the answer right?
    scale: {kind: ordinal, min: 1, max: 5, anchors: {1: wrong, 5: right}}
judge: {bar: 0.6, items: 20, samples: 1}
"""
