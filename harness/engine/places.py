"""Where the files of a run lie; whoever lists runs needs no more of the engine than these names."""

MACHINE_FOLDER = ".harness"
REPORTS_FOLDER = "reports"
LEDGER = "test-openings.jsonl"
CONFIG = "config.yaml"
JOURNAL = "journal.jsonl"
