"""The DuckDB file of one run: its tables and views, written and read."""
