"""What a page of measurements says of its command."""

import pytest

from snstdp_cli.machine.bench.cases import list_cases
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


@pytest.mark.parametrize("quick", [True, False])
def test_each_row_in_single_precision_stands_beside_the_same_in_double_and_the_same_yardstick(quick: bool) -> None:
    cases = list_cases(quick)
    assert len({case.name for case in cases}) == len(cases)
    single = [case for case in cases if case.arithmetic == "single"]
    assert {case.name.removesuffix("_single") for case in single} <= {case.name for case in cases}
    assert all(case.bound in cases and case.experiment().arithmetic == "single" for case in single)
    assert ("standalone_smax_400_no_delay_single" in {case.name for case in single}) != quick
