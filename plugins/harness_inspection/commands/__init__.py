"""The commands: their options, and what is printed of an answer."""
