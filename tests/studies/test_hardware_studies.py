"""The studies of docs/hardware.md: both can be planned, and one's full precision is the other's exact division."""

from pathlib import Path

from snstdp_cli.studies import load_study

FOLDER = Path(__file__).parents[2] / "configs" / "studies"


def test_the_studies_of_bits_and_of_scaling_have_their_cells_and_a_setting_in_common(tmp_path: Path) -> None:
    bits, scaling = (load_study(FOLDER / f"{name}.yaml", tmp_path) for name in ("bits", "scaling"))
    assert (len(bits.cells), len(scaling.cells)) == (117, 36)
    shared = {cell.id for cell in bits.cells} & {cell.id for cell in scaling.cells}
    assert len(shared) == 2 * 3
