"""Batches: who rates which answers, drawn from a run and frozen."""
