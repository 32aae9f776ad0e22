"""Each screen under ``tests/golden/`` is compared by a test that there is."""

from __future__ import annotations

from tests.support.golden import FOLDER, TESTS


def test_each_screen_belongs_to_a_test() -> None:
    screens = sorted(FOLDER.rglob("*.txt"))
    assert screens
    alone = []
    for screen in screens:
        room = screen.parent.relative_to(FOLDER)
        tests = TESTS / room.with_name(f"test_{room.name}.py")
        function = f"def test_{screen.name.partition('.')[0]}("
        if not tests.exists() or function not in tests.read_text(encoding="utf-8"):
            alone.append(screen.relative_to(FOLDER).as_posix())
    assert alone == []
