"""The command `explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_json, print_line, print_note
from snstdp_cli.cli.hints import next_command
from snstdp_cli.cli.names import known_name
from snstdp_cli.cli.network_options import takes_networks

if TYPE_CHECKING:
    from snstdp_cli.results import Finding, Score, TrainedNetwork


@o.takes_settings("classifier", file=False)
@takes_networks(several=True)
def explain(
    given: o.GivenSettings,
    names: list[str],
    workdir: o.WorkdirPath = Path(),
    as_json: o.Json = False,
) -> None:
    """Say in sentences what the figures of a network mean, what to try, and which figure shows it.

    The same sentences end a run and stand in the report.

    Example: snstdp explain mine
    """
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.cli.sentences import sentence_of
    from snstdp_cli.results import TrainedNetwork, findings

    place = Workdir(workdir)
    network = TrainedNetwork(place, known_name(names, "explain", place))
    score, missing = _score(network, given)
    found = findings(network, score)
    if as_json:
        print_json(
            {"name": network.name, "missing": missing, "findings": [_as_json(one, workdir, network) for one in found]}
        )
        return
    for one in found:
        print_line((one.kind, "bold red" if one.alarming else "bold"))
        print_line(sentence_of(one), indent=2)
        if (command := _figure(one, workdir, network)) is not None:
            print_line("see: ", (command, "cyan"), indent=2)
    if not found:
        print_note(f"nothing is written down of how '{network.name}' was made")
    if missing is not None:
        print_note(f"without a score: {missing}", to_copy=True)


def _score(network: TrainedNetwork, given: o.GivenSettings) -> tuple[Score | None, str | None]:
    """Return the score of a network, or why there is none."""
    from snstdp_cli.errors import SnstdpError
    from snstdp_cli.results import score_network

    try:
        return score_network(network, classifier=given.classifier), None
    except SnstdpError as error:
        return None, str(error)


def _figure(finding: Finding, workdir: Path, network: TrainedNetwork) -> str | None:
    from snstdp_cli.results import figure_of

    figure = figure_of(finding, network)
    return None if figure is None else next_command("plot", figure, network.name, workdir=workdir)


def _as_json(finding: Finding, workdir: Path, network: TrainedNetwork) -> dict[str, Any]:
    return {**vars(finding), "figure": _figure(finding, workdir, network)}
