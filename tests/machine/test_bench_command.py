"""What a page of measurements says of its command."""

import pytest

from snstdp_cli.machine.bench.measure import told_command


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["bench", "--yardstick", "/opt/me/c", "--bindsnet", "/a b/python"], "--yardstick PATH --bindsnet PYTHON"),
        (["bench", "--yardstick=/opt/me/c", "--data-dir=/x"], "--yardstick=PATH --data-dir=FOLDER"),
        (["bench", "--quick", "--write", "docs"], "--quick --write docs"),
        (["bench", "--write", "my docs"], "--write 'my docs'"),
    ],
)
def test_a_command_is_told_without_the_paths_of_this_machine(arguments: list[str], told: str) -> None:
    assert told_command(arguments) == f"snstdp bench {told}"
