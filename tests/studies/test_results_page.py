"""The page of the results: small versions have the published axes, and its tables the shape that the commands write."""

import csv
import importlib
import importlib.util
import re
import shutil
import statistics
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from snstdp_cli.artefacts import Workdir, load_weights
from snstdp_cli.config import settings_of
from snstdp_cli.results.usual import usual_results
from snstdp_cli.studies import load_study
from snstdp_cli.studies.formats import to_markdown
from snstdp_cli.studies.intervals import estimate
from snstdp_cli.studies.results import Trial, gather_results
from snstdp_cli.studies.statistics import Estimate, SettingRow
from snstdp_cli.studies.tables import StudyTable
from snstdp_cli.studies.text_tables import text_tables

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("results_tool", ROOT / "tools" / "results.py")
assert SPEC is not None
assert SPEC.loader is not None
TOOL = importlib.util.module_from_spec(SPEC)
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(ROOT / "tools"))
    SPEC.loader.exec_module(TOOL)
    SMALL = importlib.import_module("small_results")
    SUMMARIES = importlib.import_module("result_summaries")
    PUBLISHED = importlib.import_module("published").PUBLISHED
    EARLIER = importlib.import_module("earlier_results")
PAGE = ROOT / "docs" / "result-tables.md"


def test_every_study_of_the_results_has_its_place_on_the_page() -> None:
    studies = sorted(path.stem for path in TOOL.STUDIES.glob("*.yaml"))
    assert sorted(PUBLISHED) == studies


def test_every_figure_of_what_is_measured_is_on_the_page() -> None:
    pattern = re.compile(r"^!\[.*\]\(result-tables/(.*)\)$", flags=re.MULTILINE)
    assert sorted(pattern.findall(PAGE.read_text())) == sorted(path.name for path in PAGE.with_suffix("").glob("*.png"))
    for name, text in EARLIER.read_earlier(PAGE).sections.items():
        shown, figures = pattern.findall(text), [f"{name}.{one.name}.png" for one in PUBLISHED[name].figures]
        assert set(shown) <= set(figures)
        if finished := re.search(r"^(\d+) of (\d+) cells are finished", text, flags=re.MULTILINE):
            assert finished[1] != finished[2] or shown == figures
        else:  # a search
            assert shown == figures


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_small_version_has_the_same_axes_on_the_bundled_digits(name: str, tmp_path: Path) -> None:
    content = yaml.safe_load((TOOL.STUDIES / f"{name}.yaml").read_text())
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL.shrink(content), sort_keys=False))
    small, whole = load_study(path), load_study(TOOL.STUDIES / f"{name}.yaml")
    assert small.keys == whole.keys
    assert small.file.read_outs == whole.file.read_outs
    assert {cell.experiment.data for cell in small.cells} <= {"bundled", "bundled+bundled"}
    shown = [cell.experiment.num_examples + 20 * cell.experiment.n_e for cell in small.cells]
    assert sum(shown) < 150_000
    if whole.file.search is not None:
        assert small.file.search is not None
        assert small.file.search.space == whole.file.search.space


def test_the_published_tables_have_the_columns_that_the_commands_write(tmp_path: Path) -> None:
    for name, text in EARLIER.read_earlier(PAGE).sections.items():
        study = load_study(TOOL.STUDIES / f"{name}.yaml", tmp_path)
        tables = [line for line in text.splitlines() if line.startswith("|")]
        if tables:
            written = to_markdown(text_tables(gather_results(study).table()))
            assert tables[0] == next(line for line in written.splitlines() if line.startswith("|"))
            assert f"snstdp study run configs/studies/results/{name}.yaml" in text
            assert (PAGE.with_suffix("") / f"{name}.csv").exists()


@pytest.mark.parametrize("name", ["rules", "passes", "labels", "speed", "ablation", "fashion", "noise"])
def test_the_raw_records_alone_make_the_published_tables(name: str, tmp_path: Path) -> None:
    nothing = gather_results(load_study(TOOL.STUDIES / f"{name}.yaml", tmp_path))
    results = EARLIER.read_earlier(PAGE).completes(nothing)
    assert {cell.state for cell in results.cells} == {"finished"}
    table = TOOL.table_of(results, name)
    assert to_markdown(text_tables(table)).strip() in PAGE.read_text()
    assert TOOL.to_csv(TOOL._table_told(results)[1]) == (PAGE.with_suffix("") / f"{name}.csv").read_text()


def test_what_another_machine_measured_stays_until_there_is_more(tmp_path: Path) -> None:
    earlier = EARLIER.read_earlier(PAGE)
    # Where records hold all that is told of a cell, new cells join them, and the tables are made anew.
    for name, kept in (("rules", False), ("online", True), ("shares", True)):
        nothing = gather_results(load_study(TOOL.STUDIES / f"{name}.yaml", tmp_path))
        one = replace(nothing, cells=(replace(nothing.cells[0], state="finished"), *nothing.cells[1:]))
        whole = replace(nothing, cells=tuple(replace(cell, state="finished") for cell in nothing.cells))
        assert earlier.keeps(nothing) == earlier.keeps(one) == kept
        assert not earlier.keeps(whole)
        assert not earlier.keeps(replace(nothing, cells=tuple(replace(cell, cell="another") for cell in nothing.cells)))
        assert not EARLIER.EarlierResults().keeps(nothing)
    search = gather_results(load_study(TOOL.STUDIES / "search_smin.yaml", tmp_path))
    assert earlier.keeps(search)
    for num, state, kept in (
        (1, "finished", True),
        (40, "finished", False),
        (40, "pruned", False),
        (40, "failed", True),
    ):
        trials = tuple(Trial(k, {}, 0.9, state) for k in range(num))
        assert earlier.keeps(replace(search, trials=trials)) == kept


def test_cells_that_other_machines_have_in_stages_stay_until_all_of_them_are_here(tmp_path: Path) -> None:
    earlier, nothing = EARLIER.read_earlier(PAGE), gather_results(load_study(TOOL.STUDIES / "online.yaml", tmp_path))
    half = {name: row for name, row in earlier.records["online"].items() if row["n_e"] == "100"}
    other_half = tuple(
        cell if cell.cell in half else replace(cell, state="finished", accuracies={"average": 0.5})
        for cell in nothing.cells
    )
    known = replace(earlier, records={"online": half})
    assert known.keeps(replace(nothing, cells=other_half))
    restored = known.completes(nothing)
    assert sum(cell.state == "finished" for cell in restored.cells) == len(half) == 9
    assert not any("stage" in name for cell in restored.cells for name in cell.figures)


def test_what_was_scored_on_other_images_is_no_result_of_a_study(tmp_path: Path) -> None:
    earlier, study = EARLIER.read_earlier(PAGE), load_study(TOOL.STUDIES / "choose.yaml", tmp_path)
    nothing = gather_results(study)
    assert {cell.state for cell in earlier.completes(nothing).cells} == {"finished"}
    assert {cell.state for cell in earlier.completes(replace(nothing, score_on="test")).cells} == {"missing"}


def test_a_machine_that_made_nothing_is_not_named(tmp_path: Path) -> None:
    made, days = TOOL.made_on(tmp_path / "studies" / "rules", "another machine", EARLIER.read_earlier(PAGE))
    assert "another" not in made
    assert "EPYC" in made
    assert len(days) == 2


def test_a_trial_that_ended_early_has_no_accuracy_in_its_record() -> None:
    finished, pruned = (TOOL._trial_record(Trial(0, {"rule.eta": 0.1}, 0.9, state)) for state in ("finished", "pruned"))
    assert (finished["accuracy"], finished["curve_end"]) == (0.9, None)
    assert (pruned["accuracy"], pruned["curve_end"]) == (None, 0.9)


def test_the_page_of_a_folder_without_results_is_the_page_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / PAGE.name
    page.write_text(PAGE.read_text())
    shutil.copytree(PAGE.with_suffix(""), page.with_suffix(""))
    paths = {name: TOOL.STUDIES / f"{name}.yaml" for name in PUBLISHED}
    TOOL.write_page(page, paths, tmp_path, "another machine", TOOL.HEAD, EARLIER.read_earlier(page))
    assert page.read_text() == PAGE.read_text()


def test_the_page_tells_every_study_and_how_far_it_is() -> None:
    told = EARLIER.read_earlier(PAGE).sections
    assert list(told) == list(PUBLISHED)
    for text in told.values():
        assert re.search(r"\d+ of \d+ (cells are finished|trials have an accuracy)", text)


def published(studies: Iterable[str], read_out: str) -> dict[tuple[str, int], list[float]]:
    """Return the accuracies in the raw records of studies, by rule and size."""
    found: dict[tuple[str, int], list[float]] = {}
    records = EARLIER.read_earlier(PAGE).records
    for row in (row for study in studies for row in records.get(study, {}).values()):
        found.setdefault((row["rule"], int(row["n_e"])), []).append(float(row[f"accuracy_{read_out}"]))
    return found


def test_what_is_usual_is_what_the_published_records_say() -> None:
    told = usual_results()
    assert {"average", "selective", "linear"} <= {one.read_out for one in told}
    for one in told:
        values = published(("rules", "large"), one.read_out)[one.rule, one.n_e]
        assert (one.mean, one.seeds) == (pytest.approx(statistics.fmean(values), abs=5e-5), len(values))
        sd = statistics.stdev(values) if len(values) > 1 else None
        assert one.sd == (None if sd is None else pytest.approx(sd, abs=5e-5))


def test_readme_tells_the_means_of_the_published_records() -> None:
    rows = {(rule, "default", n): v for (rule, n), v in published(("rules", "large"), "selective").items()}
    for settings, study in (("tuned", "tuned"), ("tuned, file order", "file_order")):
        rows |= {(rule, settings, n): v for (rule, n), v in published((study,), "selective").items()}
    readme = (ROOT / "README.md").read_text()
    table = readme[readme.index("By `selective`") : readme.index("By `linear`")]
    told = {
        (rule, settings): cells
        for rule, settings, *cells in (
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in table.splitlines()
            if line.startswith("| ")
        )
    }
    sizes = [int(cell.split()[0].replace(",", "")) for cell in told.pop(("rule", "settings"))]
    assert sizes == [100, 400, 1600, 6400]
    assert set(told) == {key[:2] for key in rows}
    for (rule, settings), cells in told.items():
        for n_e, cell in zip(sizes, cells, strict=True):
            values = rows.get((rule, settings, n_e))
            expected = "–" if values is None else f"{100 * statistics.fmean(values):.1f}"
            assert cell.split()[0] == expected
            assert values is None or cell.endswith(f"({len(values)})")


#: Studies of three seeds, or five, that the prose of docs/results.md tells, by `selective`, and which rows of them.
TOLD = [
    *(("large", {"rule": rule, "n_e": "1600"}) for rule in ("smin", "smax", "triplet")),
    *(("noise", {"rule": rule, "input.noise": "0.5"}) for rule in ("smin", "smax", "triplet")),
    *(
        ("switch", {"rule": rule, "order": order})
        for rule in ("smin", "smax", "triplet")
        for order in ("as_is", "by_data")
    ),
    *(("tuned", {"rule": rule, "n_e": n_e}) for rule in ("smin", "smax", "triplet") for n_e in ("100", "400", "1600")),
    *(("fashion", {"rule": rule}) for rule in ("smin", "smax", "triplet")),
    *(("online", {"rule": rule, "n_e": "400"}) for rule in ("smin", "smax", "triplet")),
    *(
        ("speed", {"rule": rule, "num_examples": num})
        for rule in ("smin", "smax", "triplet")
        for num in ("1000", "10000")
    ),
    *(
        ("ablation", {"change": change})
        for change in (
            *("defaults", "order shuffled", "positive_share 0.35", "inhibition dense, delays to 5 ms", "eta 0.03"),
            *("closure s_max = L_tar / L_0, s_min = -L_tar / n", "positive_share 0.7", "presentation 150 ms"),
            *("a_tar 0.2", "dt 0.1"),
        )
    ),
    *(("passes", {"rule": rule, "num_examples": "180000"}) for rule in ("smin", "smax", "triplet")),
    *(("labels", {"rule": "smin", "evaluation.assign_examples": num}) for num in ("1000", "10000", "60000")),
]


def told_by(study: str, settings: dict[str, str]) -> Estimate:
    """Return what the raw records say of the settings, by `selective`."""
    with (PAGE.with_suffix("") / f"{study}.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row.items() >= settings.items()]
    found = estimate([float(row["accuracy_selective"]) for row in rows])
    assert found is not None
    return found


@pytest.mark.parametrize(("study", "settings"), TOLD)
def test_the_prose_tells_what_the_records_say(study: str, settings: dict[str, str]) -> None:
    prose = (ROOT / "docs" / "results.md").read_text()
    paragraphs = [part.replace("\n", " ") for part in prose.split("\n\n") if f"(`{study}.yaml`" in part]
    found = told_by(study, settings)
    assert found.ci95 is not None
    assert found.num_seeds == (5 if study in ("large", "tuned") else 3)
    half = 50 * (found.ci95[1] - found.ci95[0])
    assert any(f"{100 * found.mean:.1f} ± {half:.1f}" in text for text in paragraphs)


def test_readme_tells_the_same_of_noise_and_fashion() -> None:
    readme = (ROOT / "README.md").read_text().replace("\n", " ")
    for study, text in (
        ("noise", "are right for {:.1f} % (SMIN), {:.1f} % (SMAX) and {:.1f} % (triplet rule)"),
        ("fashion", "On Fashion-MNIST they reach {:.1f}, {:.1f} and {:.1f} %"),
    ):
        means = [100 * told_by(name, settings).mean for name, settings in TOLD if name == study]
        assert text.format(*means) in readme


def test_the_networks_that_come_with_snstdp_are_cells_of_the_published_study() -> None:
    cells = [one for one in load_study(TOOL.STUDIES / "rules.yaml").cells if one.settings["n_e"] == 400]
    first = {one.settings["rule"]: one for one in cells if one.experiment.seed == 0}
    shipped = {path.stem for path in (ROOT / "weights").glob("*.json")}
    assert shipped == {f"pretrained_{rule}_400" for rule in first}
    for rule, cell in first.items():
        record = load_weights(Workdir(ROOT), f"pretrained_{rule}_400").record
        assert record is not None
        assert settings_of(record.experiment, "training") == settings_of(cell.experiment, "training")


def test_the_summary_tells_mean_interval_and_seeds() -> None:
    def row(n_e: int, mean: float, ci95: tuple[float, float] | None, seeds: int) -> SettingRow:
        found = {"selective": Estimate(seeds, mean, None, ci95)}
        return SettingRow({"rule": "smin", "n_e": n_e}, seeds, 0, 0, found, num_examples=10_000)

    tables = {
        "rules": StudyTable((), ("selective",), (row(100, 0.8634, (0.861, 0.8658), 5),)),
        "large": StudyTable((), ("selective",), (row(6400, 0.94, None, 1),)),
    }
    assert SUMMARIES.summary(tables, "selective").splitlines()[2:] == [
        "| smin | default | 86.3 ± 0.2 (5) | – | – | 94.0 (1) |"
    ]


def test_what_is_usual_comes_from_the_study_with_the_most_seeds(tmp_path: Path) -> None:
    path = tmp_path / "usual.csv"
    path.write_text(
        "rule,n_e,examples,data,images,read_out,mean,sd,seeds,command\n"
        "smin,400,60000,MNIST,10000,average,0.902,,1,one run\n"
        "smax,400,60000,MNIST,10000,average,0.9,0.003,5,five runs\n"
    )

    def row(rule: str, n_e: int, *means: float) -> SettingRow:
        found = Estimate(len(means), statistics.fmean(means), statistics.stdev(means), None) if means else None
        return SettingRow({"rule": rule, "n_e": n_e}, len(means), 0, 0, {"average": found}, num_examples=10_000)

    rows = (row("smin", 400, 0.90, 0.92), row("smax", 400, 0.5, 0.6), row("smin", 1600, 0.93, 0.95), row("smax", 100))
    SUMMARIES.renew_usual(path, {"rules": StudyTable((), ("average",), rows)})
    with path.open() as file:
        found = {(one["rule"], one["n_e"]): one for one in csv.DictReader(file)}
    assert list(found) == [("smax", "400"), ("smin", "400"), ("smin", "1600")]
    assert [one["seeds"] for one in found.values()] == ["5", "2", "2"]
    assert found["smin", "400"]["mean"] == "0.9100"
    assert found["smin", "400"]["sd"] == "0.0141"
    assert found["smin", "1600"]["command"] == "snstdp study run configs/studies/results/rules.yaml"
    assert found["smax", "400"]["mean"] == "0.9"
