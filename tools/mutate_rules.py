"""Break each term of each learning rule once and see whether a test notices.

Every mutation is a replacement of text in a temporary copy of the package. Tests that fail without any mutation are
named and left out. Exit code 1 if a mutation survives, 2 if one no longer applies.

    python tools/mutate_rules.py [--jobs 2]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ["tests/test_rules.py", "tests/test_rules_in_brian.py", "tests/test_engines.py"]
SELF_NORMALIZING, TRIPLET = "rules/self_normalizing.py", "rules/triplet.py"
NETWORK, PRESENTATION = "network.py", "presentation.py"
#: (file, text that occurs there, replacement, number of the occurrence from 0)
MUTATIONS: list[tuple[str, str, str, int]] = [
    # The window of the trace
    (SELF_NORMALIZING, "math.floor(parameters.tau_pre_ms", "1 + math.floor(parameters.tau_pre_ms", 0),
    (SELF_NORMALIZING, "math.log(1 / parameters.x_tar) / dt_ms", "math.log(1 / parameters.x_tar)", 0),
    (SELF_NORMALIZING, "arrived <= window", "arrived < window", 0),
    (SELF_NORMALIZING, "+ 1e-9)", "- 1e-9)", 0),
    # Constants
    (SELF_NORMALIZING, "parameters.a_tar * n", "parameters.a_tar * (n - 1)", 0),
    (SELF_NORMALIZING, "else 1.0", "else 0.9", 0),
    (SELF_NORMALIZING, "up, down = share * l_tar", "up, down = l_tar", 0),
    (SELF_NORMALIZING, "-(1 - share) * l_tar\n", "(1 - share) * l_tar\n", 0),
    (SELF_NORMALIZING, "-(1 - share) * l_tar\n", "-share * l_tar\n", 0),
    (SELF_NORMALIZING, "n if down == 0 else n - 1", "n", 0),
    (SELF_NORMALIZING, "n if down == 0 else n - 1", "n - 1", 0),
    (SELF_NORMALIZING, "(min(down, 0.0), up) if down == 0 else (down, up)", "(0.0, up)", 0),
    # Counting
    (SELF_NORMALIZING, "L_0_post += active", "L_0_post += 1", 0),
    (SELF_NORMALIZING, '{"count": count, "learn": learn}', '{"learn": learn, "count": count}', 0),
    (SELF_NORMALIZING, '{"L_0": 0.0}, "L_0 = 0"', '{"L_0": 0.0}, ""', 0),
    (SELF_NORMALIZING, "            L_0 = 0\n", "", 0),
    # Instantaneous scaling
    (SELF_NORMALIZING, "int(L_0_post >= 1 and", "int(L_0_post >= 0 and", 0),
    (SELF_NORMALIZING, "L_0_post <= L_0_most)", "L_0_post <= n_synapses)", 0),
    (SELF_NORMALIZING, "up_total / clip(L_0_post, 1, n_synapses)", "up_total / n_synapses", 0),
    (SELF_NORMALIZING, "clip(n_synapses - L_0_post, 1", "clip(L_0_post, 1", 0),
    (SELF_NORMALIZING, "w += usable * eta", "w += eta", 0),
    (SELF_NORMALIZING, "usable * eta * (active", "usable * (active", 0),
    (SELF_NORMALIZING, "(active * s_max + (1", "(s_max + (1", 0),
    (SELF_NORMALIZING, "+ (1 - active) * s_min - w)", "+ s_min - w)", 0),
    (SELF_NORMALIZING, "+ (1 - active) * s_min - w)", "- w)", 0),
    (SELF_NORMALIZING, "(1 - active) * s_min - w)", "(1 - active) * s_min)", 0),
    # Lagged scaling
    (SELF_NORMALIZING, "w += scaled_post * eta", "w += eta", 0),
    (SELF_NORMALIZING, "scaled_post * eta * (", "scaled_post * (", 0),
    (SELF_NORMALIZING, "active * s_max_post", "s_max_post", 0),
    (SELF_NORMALIZING, "(1 - active) * s_min_post - w", "(1 - active) * s_min_post", 0),
    (SELF_NORMALIZING, "+ (1 - active) * s_min_post", "", 0),
    (SELF_NORMALIZING, "int(L_0 >= 1 and", "int(L_0 >= 0 and", 0),
    (SELF_NORMALIZING, "L_0 <= L_0_most)", "L_0 <= n_synapses)", 0),
    (SELF_NORMALIZING, "usable * up_total / clip(L_0, 1, n_synapses)", "usable * up_total / n_synapses", 0),
    (SELF_NORMALIZING, "+ (1 - usable) * s_max\n", "\n", 0),
    (SELF_NORMALIZING, "clip(n_synapses - L_0, 1", "clip(L_0, 1", 0),
    (SELF_NORMALIZING, "+ (1 - usable) * s_min\n", "\n", 0),
    (SELF_NORMALIZING, "clip(scaled + usable, 0, 1)", "1", 0),
    (SELF_NORMALIZING, "clip(scaled + usable, 0, 1)", "usable", 0),
    # Triplet
    (TRIPLET, "w - nu_pre * post1_post", "w + nu_pre * post1_post", 0),
    (TRIPLET, "w - nu_pre * post1_post", "w - nu_pre", 0),
    (TRIPLET, "w - nu_pre * post1_post", "w - nu_pre * post2_post", 0),
    (TRIPLET, "post1_post, 0, w_max", "post1_post, -w_max, w_max", 0),
    (TRIPLET, "w + nu_post * pre1 * post2_post", "w - nu_post * pre1 * post2_post", 0),
    (TRIPLET, "nu_post * pre1 * post2_post", "nu_post * post2_post", 0),
    (TRIPLET, "nu_post * pre1 * post2_post", "nu_post * pre1", 0),
    (TRIPLET, "nu_post * pre1 * post2_post", "nu_post * pre1 * post1_post", 0),
    (TRIPLET, "post2_post, 0, w_max", "post2_post, 0, 2 * w_max", 0),
    (TRIPLET, "exp((arrived - t_in_timesteps)", "exp((t_in_timesteps - arrived)", 0),
    (TRIPLET, "context.dt_ms / parameters.tau_pre_ms", "1 / parameters.tau_pre_ms", 0),
    (TRIPLET, '"post1": parameters.tau_post1_ms', '"post1": parameters.tau_post2_ms', 0),
    (TRIPLET, '"post2": parameters.tau_post2_ms', '"post2": parameters.tau_post1_ms', 0),
    (TRIPLET, "post1 = 1\\npost2 = 1", "post2 = 1", 0),
    (TRIPLET, "post1 = 1\\npost2 = 1", "post1 = 1", 0),
    (TRIPLET, "normalize_to=total", "normalize_to=None", 0),
    (TRIPLET, "parameters.a_tar * context.n_input", "78.0", 0),
    # What the network does for a rule
    (NETWORK, "\\narrived = t_in_timesteps", "", 0),
    (PRESENTATION, 'events={"begin": "tick == 0"}', 'events={"begin": "tick == 1"}', 0),
    (NETWORK, 'on_pre={"clear": "w_sum_post = 0"}', 'on_pre={"clear": "w_sum_post += 0"}', 0),
    (NETWORK, '"\\ntheta += theta_step\\n" + plasticity.reset', '"\\n" + plasticity.reset', 0),
]


def copy_project(folder: Path) -> None:
    """Copy the package and its tests."""
    for name in ("snstdp_cli", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "pyproject.toml", folder)


def run_tests(folder: Path, *options: str) -> tuple[int, str]:
    """Run the tests that need no compiler on the package in `folder`."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-m",
        "not compiles",
        "-W",
        "ignore",
        "-rfE",
        "--tb=no",
        *options,
        *TESTS,
    ]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def mutate(text: str, old: str, new: str, occurrence: int) -> str | None:
    """Replace one occurrence of `old`, or return None if there is none."""
    at = -1
    for _ in range(occurrence + 1):
        at = text.find(old, at + 1)
        if at < 0:
            return None
    return text[:at] + new + text[at + len(old) :]


def try_mutation(mutation: tuple[str, str, str, int], left_out: list[str]) -> str:
    """Return which test noticed, `survived` or `does not apply`."""
    name, old, new, occurrence = mutation
    with tempfile.TemporaryDirectory(prefix="mutate-") as temporary:
        folder = Path(temporary)
        copy_project(folder)
        path = folder / "snstdp_cli" / name
        mutated = mutate(path.read_text(), old, new, occurrence)
        if mutated is None:
            return "does not apply"
        path.write_text(mutated)
        code, output = run_tests(folder, "-x", *(f"--deselect={test}" for test in left_out))
    if code == 0:
        return "survived"
    noticed = re.findall(r"^(?:FAILED|ERROR) \S*?([\w\[\].-]+)(?: - .*)?$", output, re.MULTILINE)
    return f"noticed by {noticed[0]}" if noticed else f"noticed (exit code {code})"


def main() -> int:
    """Try all mutations and print what became of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="mutations tried at the same time")
    jobs = parser.parse_args().jobs
    with tempfile.TemporaryDirectory(prefix="mutate-") as temporary:
        copy_project(Path(temporary))
        code, output = run_tests(Path(temporary))
    left_out = re.findall(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
    if code not in (0, 1):
        print(output)
        return 2
    for test in left_out:
        print(f"fails without a mutation, left out: {test}")
    with ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(lambda mutation: try_mutation(mutation, left_out), MUTATIONS))
    for (name, old, new, _), result in zip(MUTATIONS, results, strict=True):
        print(f"{result:<16} {name}: {old!r} -> {new!r}")
    survived = results.count("survived")
    stale = results.count("does not apply")
    print(f"{len(MUTATIONS)} mutations, {survived} survived, {stale} do not apply")
    return 1 if survived else 2 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
