"""One module for each lever: what the run says of it."""
