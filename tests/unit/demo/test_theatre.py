from __future__ import annotations

from pathlib import Path

import pytest

from workers.demo.theatre import AlreadyPlaying, sole_play


def test_the_stage_is_held_by_one_demo_at_a_time(tmp_path: Path) -> None:
    again = sole_play(tmp_path)
    with sole_play(tmp_path), pytest.raises(AlreadyPlaying, match="Try again once"):
        again.__enter__()
    with sole_play(tmp_path):
        pass
