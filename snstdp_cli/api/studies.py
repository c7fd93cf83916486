"""Open a study."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from snstdp_cli.studies import load_study
from snstdp_cli.studies.opened import OpenStudy


def study(file: str | Path, *, workdir: str | Path = ".", run_rules: Collection[str] = ()) -> OpenStudy:
    """Open a study: many experiments from one file, whose results are in `studies/<name>/`.

    Parameters
    ----------
    file
        YAML file of the study (see docs/studies.md).
    workdir
        Folder of `studies/`.
    run_rules
        Rules of the study that are in files, as it names them (`my_rules.py:MY_RULE`): such a file is a program, and
        runs only if it is named here.

    Raises
    ------
    ConfigError
        For a file or cell that cannot be used; nothing is run then.

    Examples
    --------
    >>> from pathlib import Path
    >>> import snstdp_cli as snstdp
    >>> base = "{n_e: 20, num_examples: 60, data: bundled}"
    >>> _ = Path("seeds.yaml").write_text(f"name: seeds\\nbase: {base}\\nseeds: 3\\n")
    >>> study = snstdp.study("seeds.yaml")
    >>> [(result.seed, result.state) for result in study.results()]
    [(0, 'missing'), (1, 'missing'), (2, 'missing')]
    """
    return OpenStudy(load_study(Path(file), Path(workdir), run_rules=run_rules))
