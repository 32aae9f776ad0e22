"""One run on disk: artifacts, journal, ledger, jobs, and how each stage is carried out."""
