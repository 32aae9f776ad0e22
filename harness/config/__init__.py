"""The experiment as the user describes it: read, checked whole, its plugins made."""
