"""What is changed in the sources that Brian 2 writes."""

from __future__ import annotations

from pathlib import Path

import brian2

from snstdp_cli.engines.compilation import ask_clock_once

TEMPLATE = Path(brian2.__file__).parent / "devices" / "cpp_standalone" / "templates" / "network.cpp"


def test_the_main_loop_of_the_installed_brian_asks_for_the_time_when_it_has_ended_only() -> None:
    text = TEMPLATE.read_text()
    changed = ask_clock_once(text)
    if "std::clock" not in text:  # Brian 2 from 2.10 on does so itself
        assert changed == text
        return
    assert changed.count("if (!clock || !clock->running()) current = std::clock();") == 1
    # The other question is asked for progress reports only, which we do not ask for.
    assert changed.count("std::clock()") == text.count("std::clock()")
    assert len(changed.splitlines()) == len(text.splitlines())


def test_a_main_loop_of_another_form_is_left_alone() -> None:
    for text in ("", "std::clock_t start, current;", "current = std::clock();\nelapsed_realtime = 0;"):
        assert ask_clock_once(text) == text
