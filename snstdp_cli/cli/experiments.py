"""The commands that simulate: init-weights, train, test, run."""

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
from snstdp_cli.cli.names import checked
from snstdp_cli.cli.settings import resolve, resolve_for_weights, setting_flags


def _tell_of_bundled(name: str, data_dir: Path | None) -> bool:
    """Tell whether the bundled subset stands in for MNIST, and say so."""
    from snstdp_cli.datasets import find_dataset

    missing = name == "mnist" and find_dataset(name, data_dir) is None
    if missing:
        print_warning(
            "MNIST was not found: using the bundled subset of 5,000 training and 1,000 test images; get all of it with "
            "`snstdp data fetch mnist`, or name its folder by --data-dir"
        )
    return missing


def init_weights(
    n_e: o.NumNeurons = None,
    config: o.Config = None,
    save_name: Annotated[
        str | None, typer.Option("--save-name", help="Name of the weights.  \\[default: initial_<n_e>]")
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
    from snstdp_cli.training import init_weights as draw

    experiment = resolve(config, sets, setting_flags(n_e=n_e, rule=rule, seed=seed)).experiment
    name = checked(save_name or f"initial_{experiment.n_e}", "--save-name")
    files = draw(experiment, Workdir(workdir), name, n_input, signed=signed, force=force)
    if as_json:
        print_json({"name": name, "n_e": experiment.n_e, "n_input": n_input, "files": files})
        return
    out.print(f"weights of {experiment.n_e:,} neurons with {n_input:,} inputs each, seed {experiment.seed}:")
    print_files(files)
    print_next(f"train --load-name {name} --n-e {experiment.n_e} --save-name mine", workdir)


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
    from snstdp_cli.training import train_network

    flags = setting_flags(n_e, rule, dt, num_examples, load_name, save_name, seed, data, engine)
    experiment = resolve(config, sets, flags).experiment
    bundled = _tell_of_bundled(experiment.data, data_dir)
    if not quiet:
        _tell_plan(experiment, workdir, bundled)
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
    if not quiet:
        print_next(f"test --load-name {experiment.save_name} --split train", workdir)


def record(
    load_name: Annotated[
        str | None,
        typer.Option("--load-name", help="Name of the weights.  \\[default: pretrained_smax_400]", show_default=False),
    ] = None,
    split: Annotated[
        o.SplitName, typer.Option("--split", help="train: to label the neurons; test: to score.")
    ] = o.SplitName.test,
    num_examples: Annotated[
        int | None,
        typer.Option("--num-examples", min=1, help="Images to show.  \\[default: as configured]", show_default=False),
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
    from snstdp_cli.artefacts import Workdir, find_recordings
    from snstdp_cli.errors import ConfigError
    from snstdp_cli.recording import record_activity

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
    if quiet:
        return
    other = "train" if split.value == "test" else "test"
    missing = not find_recordings(place, name, other)
    print_next(f"test --load-name {name} --split {other}" if missing else f"evaluate --load-name {name}", workdir)


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

    Example: snstdp run --n-e 100 --num-examples 1500 --data bundled --save-name first

    Example: snstdp run --config my.yaml --set rule.eta=0.02 --save-name second
    """
    from snstdp_cli.artefacts import Workdir, list_recorded
    from snstdp_cli.cli import results
    from snstdp_cli.pipeline import run_experiment

    flags = setting_flags(n_e, rule, dt, num_examples, load_name, save_name, seed, data, engine, classifier)
    experiment = resolve(config, sets, flags).experiment
    bundled = _tell_of_bundled(experiment.data, data_dir)
    if not quiet:
        _tell_plan(experiment, workdir, bundled)
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
    results.warn_of_scores([result.score])
    if as_json:
        print_json({**results.score_as_json(result.score), "seconds": result.seconds, "files": result.files})
        return
    results.show_score(result.score)
    out.print(f"{duration(result.seconds)} in all; files:")
    print_files(result.files)
    if quiet:
        return
    print_next(f"plot classes {experiment.save_name}", workdir)
    others = [name for name in list_recorded(Workdir(workdir)) if name != experiment.save_name]
    if others:
        print_next(f"report {others[-1]} {experiment.save_name}", workdir)


def _tell_plan(experiment: Any, workdir: Path, bundled: bool) -> None:
    """Say what will be run, on which images, and with which engine."""
    from snstdp_cli.engines import choose_engine

    print_note(
        f"{experiment.n_e:,} neurons, rule {experiment.rule.name}, dt {experiment.dt:g} ms, "
        f"{experiment.num_examples:,} examples of {'the bundled subset' if bundled else experiment.data}, "
        f"seed {experiment.seed}, {choose_engine(experiment)} engine; "
        f"results: {workdir / 'weights'}, {workdir / 'activity'}"
    )


def _training_json(result: Any) -> dict[str, Any]:
    kept = {key: result.provenance[key] for key in ("duration_s", "engine", "seed", "figures", "learning_curve")}
    return {"name": result.experiment.save_name, **kept, "files": result.files}
