"""The command `study show`."""

from __future__ import annotations

from pathlib import Path

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_json, print_line
from snstdp_cli.cli.study_options import Storage, StudyPath, StudyWorkdir
from snstdp_cli.cli.study_search import search_as_json, show_search, stored_search
from snstdp_cli.cli.study_state import state_as_json, tell_counts, tell_failures
from snstdp_cli.cli.study_view import progress_text
from snstdp_cli.fields import percent


def show(
    file: StudyPath,
    workdir: StudyWorkdir = Path(),
    storage: Storage = None,
    run_rule: o.RunRules = None,
    as_json: o.Json = False,
) -> None:
    """Tell the state of a study, which may run elsewhere: everything is read from its folder.

    Example: snstdp study show configs/studies/rules.yaml
    """
    from snstdp_cli.rules import only_rule_files
    from snstdp_cli.studies import load_results, load_study, running_cells

    with only_rule_files(run_rule or ()):
        study = load_study(file, workdir, run_rules=run_rule or ())
        results, found = load_results(study), stored_search(study, storage)
    if as_json:
        print_json({**state_as_json(study, results), **search_as_json(found)})
        return
    print_line((f"study {study.name}", "bold"), f": {tell_counts(results) or 'no cells'}, in {study.folder}")
    for cell, progress in running_cells(study):
        print_line((cell.label, "cyan"), f": {progress_text(progress)}", indent=2)
    labels = {cell.id: cell.label for cell in study.cells}
    for result in results:
        if result.accuracies:
            told = ", ".join(f"{kind} {percent(share)}" for kind, share in result.accuracies.items())
            print_line((labels[result.cell], "cyan"), f": {told}", indent=2)
    tell_failures(study, results)
    if found is not None:
        show_search(study, found)
