"""Looking at a run: ``harness errors``, ``why``, ``compare`` and ``query``.

``errors`` and ``why`` read the run's database alone; ``compare`` reads closed rounds whole. Nothing
here changes a run.
"""
