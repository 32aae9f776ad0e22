"""What people ask of a finished or running run: selections from its database, without printing.

``errors`` and ``why`` read ``run.duckdb`` alone; ``checkpoints`` and ``compare`` read stored
answers and measurements through the loop. Nothing here changes a run.
"""
