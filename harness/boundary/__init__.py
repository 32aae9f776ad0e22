"""Where the code of plugins is called, and what it returns is checked."""
