"""The runs of a folder: listed, pulled from a shared store, made again, removed."""
