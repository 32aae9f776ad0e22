"""``python -m harness.cli``: the ``harness`` command, of this Python and no other."""

from harness.cli import main

if __name__ == "__main__":
    main()
