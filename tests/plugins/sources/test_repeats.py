"""Near repeats of code."""

from harness_sources.repeats import Repeats


def test_same_code_with_other_names_is_not_on_two_sides() -> None:
    one = "def area(width, height):\n    total = width * height\n    return total + self.edge"
    other = "def size(a, b):\n    product = a * b\n    return product + shelf.rim"
    assert other in Repeats([one])
    assert "def size(a, b):\n    return [a for _ in range(b) if a is not None]" not in Repeats(
        [one]
    )


def test_code_with_a_few_other_words_is_a_near_repeat() -> None:
    body = "\n".join(f"    item_{at} = source.read({at}, timeout={at * 7})" for at in range(8))
    one = f"def read_all(source):\n{body}\n    return item_0"
    other = f"def read_all(source, strict):\n{body}\n    check(strict)\n    return item_0"
    assert other in Repeats([one])
