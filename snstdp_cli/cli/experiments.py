"""The commands of an experiment: init-weights, train, test, evaluate, run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import (
    duration,
    out,
    print_files,
    print_json,
    print_next,
    print_note,
    print_warning,
)
from snstdp_cli.cli.live import reporter
from snstdp_cli.cli.settings import checked, resolve, resolve_for_weights, setting_flags


def _tell_of_bundled(name: str, data_dir: Path | None) -> None:
    """Say so when the bundled subset stands in for MNIST."""
    from snstdp_cli.datasets import find_dataset

    if name == "mnist" and find_dataset(name, data_dir) is None:
        print_warning(
            "MNIST was not found: using the bundled subset of 5,000 training and 1,000 test images; get all of it with "
            "`snstdp data fetch mnist`, or name its folder by --data-dir"
        )


def init_weights(
    n_e: o.NumNeurons = None,
    config: o.Config = None,
    save_name: Annotated[
        str | None, typer.Option("--save-name", help="Name of the weights.  [default: initial_<n_e>]")
    ] = None,
    signed: Annotated[bool, typer.Option("--signed", help="Draw weights of both signs.")] = False,
    n_input: Annotated[int, typer.Option("--n-input", min=1, max=1_000_000, help="Number of inputs.")] = 784,
    rule: o.RuleName = None,
    seed: o.Seed = None,
    sets: o.Sets = None,
    workdir: o.WorkdirPath = Path(),
    force: o.Force = False,
    as_json: o.Json = False,
) -> None:
    """Draw random initial weights and save them under a name.

    Example: snstdp init-weights --n-e 400 --seed 1
    """
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.workflows import init_weights as draw

    experiment = resolve(config, sets, setting_flags(n_e=n_e, rule=rule, seed=seed)).experiment
    name = checked(save_name or f"initial_{experiment.n_e}", "--save-name")
    files = draw(experiment, Workdir(workdir), name, n_input, signed=signed, force=force)
    if as_json:
        print_json({"name": name, "n_e": experiment.n_e, "n_input": n_input, "files": files})
        return
    out.print(f"weights of {experiment.n_e:,} neurons with {n_input:,} inputs each, seed {experiment.seed}:")
    print_files(files)
    print_next(f"train --load-name {name} --n-e {experiment.n_e} --save-name mine")


def train(
    config: o.Config = None,
    n_e: o.NumNeurons = None,
    rule: o.RuleName = None,
    dt: o.TimeStep = None,
    num_examples: o.NumExamples = None,
    load_name: o.LoadName = None,
    save_name: o.SaveName = None,
    seed: o.Seed = None,
    data: o.DataName = None,
    engine: o.Engine = None,
    sets: o.Sets = None,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    resume: o.Resume = False,
    force: o.Force = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Train a network and save its weights.

    Example: snstdp train --config configs/smax_400.yaml --n-e 100 --num-examples 5000 --save-name mine
    """
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.workflows import train_network

    flags = setting_flags(n_e, rule, dt, num_examples, load_name, save_name, seed, data, engine)
    experiment = resolve(config, sets, flags).experiment
    _tell_of_bundled(experiment.data, data_dir)
    _tell_plan(experiment, workdir)
    with reporter(quiet) as report:
        result = train_network(
            experiment, Workdir(workdir), data_dir=data_dir, resume=resume, force=force, report=report
        )
    if as_json:
        print_json(_training_json(result))
        return
    figures = result.provenance["figures"]
    out.print(
        f"trained [bold]{experiment.save_name}[/]: {figures['examples']:,} examples in "
        f"{duration(result.provenance['duration_s'])}, {figures['retries']:,} shown again, "
        f"{figures['silent_examples']:,} without an answer, L1 norm {figures['l1_mean']:.1f}"
    )
    print_files(result.files)
    where = "" if workdir == Path() else f" --workdir {workdir}"
    print_next(f"test --load-name {experiment.save_name} --split train{where}, then --split test")


def record(
    load_name: Annotated[
        str | None,
        typer.Option("--load-name", help="Name of the weights.  [default: pretrained_smax_400]", show_default=False),
    ] = None,
    split: Annotated[
        o.SplitName, typer.Option("--split", help="train: to label the neurons; test: to score.")
    ] = o.SplitName.test,
    num_examples: Annotated[
        int | None,
        typer.Option("--num-examples", min=1, help="Images to show.  [default: as configured]", show_default=False),
    ] = None,
    config: o.Config = None,
    data: o.DataName = None,
    engine: o.Engine = None,
    sets: o.Sets = None,
    record_format: Annotated[
        str, typer.Option("--format", help="npz, or ancestor for resultPopVecs<N>.npy and inputNumbers<N>.npy.")
    ] = "npz",
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    workers: o.Workers = None,
    force: o.Force = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Record the responses of a trained network; nothing learns.

    Example: snstdp test --load-name mine --split test
    """
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.errors import ConfigError
    from snstdp_cli.workflows import record_activity

    if record_format not in ("npz", "ancestor"):
        raise ConfigError(f"--format: expected npz or ancestor, found {record_format!r}")
    place = Workdir(workdir)
    experiment, name = resolve_for_weights(config, sets, setting_flags(data=data, engine=engine), load_name, place)
    _tell_of_bundled(experiment.data, data_dir)
    with reporter(quiet) as report:
        responses, files = record_activity(
            experiment,
            place,
            name,
            split.value,
            num_examples=num_examples,
            data_dir=data_dir,
            workers=workers,
            ancestor_format=record_format == "ancestor",
            force=force,
            report=report,
        )
    figures = {"name": name, "split": split.value, "num_examples": len(responses.labels)}
    figures |= responses.provenance["figures"]
    if as_json:
        print_json({**figures, "files": files})
        return
    out.print(
        f"recorded [bold]{name}[/]: {len(responses.labels):,} {split.value} images, "
        f"{figures['spikes_per_example']:.1f} spikes an example, {figures['silent_examples']:,} without an answer"
    )
    print_files(files)
    print_next(f"evaluate --load-name {name}")


def evaluate(
    load_name: Annotated[
        list[str] | None,
        typer.Option(
            "--load-name", help="Name of the weights; repeat it for the mean over seeds.  [default: the only one]"
        ),
    ] = None,
    assign_from: Annotated[
        o.SplitName, typer.Option("--assign-from", help="Responses that label the neurons; test flatters.")
    ] = o.SplitName.train,
    classifier: o.Classifier = None,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option("--compare", metavar="A B", help="Compare two networks on the same test images (McNemar)."),
    ] = None,
    num_examples: Annotated[
        int | None, typer.Option("--num-examples", min=1, help="Score only the first ones.")
    ] = None,
    responses: Annotated[
        Path | None, typer.Option("--responses", help="The ancestor's resultPopVecs<N>.npy to score.")
    ] = None,
    assign_responses: Annotated[
        Path | None, typer.Option("--assign-responses", help="The ancestor's file of training responses.")
    ] = None,
    workdir: o.WorkdirPath = Path(),
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Score recorded responses: accuracy, its interval, confusion matrix.

    Example: snstdp evaluate --load-name mine --classifier selective
    """
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.cli import results
    from snstdp_cli.cli.scores import compare_pair, score_ancestor, score_names

    kind = "average" if classifier is None else classifier.value
    if compare is not None:
        compare_pair(Workdir(workdir), compare, kind, as_json)
        return
    if responses is not None:
        scores = [score_ancestor(responses, assign_responses, assign_from.value, kind, num_examples)]
    else:
        with reporter(quiet) as report:
            scores = score_names(Workdir(workdir), load_name, assign_from.value, kind, num_examples, report)
    for score in scores:
        results.warn_of_score(score)
    if len(scores) == 1 and as_json:
        print_json(results.score_as_json(scores[0]))
    elif len(scores) == 1:
        results.show_score(scores[0])
    else:
        results.show_seeds(scores, as_json)


def run(
    config: o.Config = None,
    n_e: o.NumNeurons = None,
    rule: o.RuleName = None,
    dt: o.TimeStep = None,
    num_examples: o.NumExamples = None,
    load_name: o.LoadName = None,
    save_name: o.SaveName = None,
    seed: o.Seed = None,
    data: o.DataName = None,
    engine: o.Engine = None,
    classifier: o.Classifier = None,
    sets: o.Sets = None,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    workers: o.Workers = None,
    resume: o.Resume = False,
    force: o.Force = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Train, record and evaluate: the whole experiment.

    Example: snstdp run --config configs/demo.yaml
    """
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.cli import results
    from snstdp_cli.workflows import run_experiment

    flags = setting_flags(n_e, rule, dt, num_examples, load_name, save_name, seed, data, engine, classifier)
    experiment = resolve(config, sets, flags).experiment
    _tell_of_bundled(experiment.data, data_dir)
    _tell_plan(experiment, workdir)
    with reporter(quiet) as report:
        result = run_experiment(
            experiment,
            Workdir(workdir),
            data_dir=data_dir,
            workers=workers,
            resume=resume,
            force=force,
            report=report,
        )
    results.warn_of_score(result.score)
    if as_json:
        print_json({**results.score_as_json(result.score), "seconds": result.seconds, "files": result.files})
        return
    results.show_score(result.score)
    out.print(f"{duration(result.seconds)} in all; files:")
    print_files(result.files)
    where = "" if workdir == Path() else f" --workdir {workdir}"
    print_next(f"plot fields --load-name {experiment.save_name}{where}")


def _tell_plan(experiment: Any, workdir: Path) -> None:
    from snstdp_cli.engines import choose_engine

    print_note(
        f"{experiment.n_e:,} neurons, rule {experiment.rule.name}, dt {experiment.dt:g} ms, "
        f"{experiment.num_examples:,} examples of {experiment.data}, seed {experiment.seed}, "
        f"{choose_engine(experiment)} engine; results: {workdir / 'weights'}, {workdir / 'activity'}"
    )


def _training_json(result: Any) -> dict[str, Any]:
    kept = {key: result.provenance[key] for key in ("duration_s", "engine", "seed", "figures", "learning_curve")}
    return {"name": result.experiment.save_name, **kept, "files": result.files}
