"""Present images to a frozen network and keep no file of it."""

from __future__ import annotations

from snstdp_cli.artefacts import TrainedWeights
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Images, check_fit, plausibility
from snstdp_cli.engines import Stream, available_cores
from snstdp_cli.errors import InterruptedRunError
from snstdp_cli.network.wiring import draw_wiring
from snstdp_cli.progress import Reporter
from snstdp_cli.recording.plausibility import check_plausible
from snstdp_cli.recording.recorder import Answers, Recorder


def present_images(
    experiment: Experiment,
    weights: TrainedWeights,
    images: Images,
    *,
    name: str,
    stream: Stream,
    workers: int | None,
    report: Reporter,
) -> Answers:
    """Return counts [num, n_e], attempts [num] and silent [num]; image k is example k of `stream`.

    Parameters
    ----------
    name
        What the network is called, for errors.

    Raises
    ------
    SnstdpError
        If images or weights cannot be used, the engine fails, or the network runs away or does not answer.
    """
    check_plausible(weights, name)
    if weights.note is not None:
        report.warn(f"{name}: {weights.note}")
    check_fit(images, weights.weights.shape[0], f"the network '{name}'")
    for sentence in plausibility(images.images):
        report.warn(f"{images.source}: {sentence}")
    num = len(images)
    recorder = Recorder(experiment, draw_wiring(experiment, images.n_input), workers or available_cores(), report)
    try:
        pixels = images.images.reshape(num, -1)
        return recorder.record(weights, pixels, stream=stream, split="new", progress=report.recording)
    except KeyboardInterrupt:
        raise InterruptedRunError("interrupted while the images were shown; nothing was written") from None
    finally:
        recorder.close()
