"""What commands need of a terminal: tables, progress, options, streams, targets, Ctrl-C."""
