"""What a deep part of the program says to the person at the terminal, of which there is one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

Say = Callable[[str], object]


def _unheard(sentence: str) -> None:
    return


class _Speaker:
    say: Say = staticmethod(_unheard)


_speaker = _Speaker()


@contextlib.contextmanager
def telling(say: Say) -> Iterator[None]:
    """Within the block sentences are said there, whichever thread has them."""
    before, _speaker.say = _speaker.say, say
    try:
        yield
    finally:
        _speaker.say = before


def tell(sentence: str) -> None:
    """Say a sentence now; nobody hears it where no command or run listens."""
    _speaker.say(sentence)
