"""People rate answers against a rubric: rubrics, batches, events, agreement."""
