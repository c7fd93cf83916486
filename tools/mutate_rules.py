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
TESTS = ["tests/test_rules.py", "tests/test_closures.py", "tests/test_rules_in_brian.py", "tests/test_engines.py"]
SELF_NORMALIZING, TRIPLET = "rules/self_normalizing.py", "rules/triplet.py"
CLOSURES, FORMULAS = "rules/closures.py", "rules/formulas.py"
NETWORK, PRESENTATION = "network.py", "presentation.py"
#: (file, text that occurs there, replacement, number of the occurrence from 0)
MUTATIONS: list[tuple[str, str, str, int]] = [
    # The window of the trace
    (SELF_NORMALIZING, "math.floor(parameters.tau_pre_ms", "1 + math.floor(parameters.tau_pre_ms", 0),
    (SELF_NORMALIZING, "math.log(1 / parameters.x_tar) / dt_ms", "math.log(1 / parameters.x_tar)", 0),
    (SELF_NORMALIZING, "arrived <= window", "arrived < window", 0),
    (SELF_NORMALIZING, "+ 1e-9)", "- 1e-9)", 0),
    # Constants and default closures
    (SELF_NORMALIZING, "parameters.a_tar * n", "parameters.a_tar * (n - 1)", 0),
    (SELF_NORMALIZING, "else 1.0", "else 0.9", 0),
    (SELF_NORMALIZING, '_SMAX_CLOSURES = ("L_tar / L_0", "0")', '_SMAX_CLOSURES = ("L_tar / n", "0")', 0),
    (SELF_NORMALIZING, '_SMAX_CLOSURES = ("L_tar / L_0", "0")', '_SMAX_CLOSURES = ("L_tar / L_0", "1")', 0),
    (SELF_NORMALIZING, '"share * L_tar / L_0"', '"L_tar / L_0"', 0),
    (SELF_NORMALIZING, '"-(1 - share) * L_tar', '"(1 - share) * L_tar', 0),
    (SELF_NORMALIZING, '"-(1 - share) * L_tar', '"-share * L_tar', 0),
    (SELF_NORMALIZING, 'L_tar / (n - L_0)")', 'L_tar / L_0")', 0),
    (SELF_NORMALIZING, "if share == 1 and", "if share == 2 and", 0),
    (SELF_NORMALIZING, "and s_min == _SMIN_CLOSURES[1]", "", 0),
    (SELF_NORMALIZING, "s_max, s_min = parameters.s_max, parameters.s_min", "s_max, s_min = _SMIN_CLOSURES", 0),
    # Counting
    (SELF_NORMALIZING, "L_0_post += active", "L_0_post += 1", 0),
    (SELF_NORMALIZING, r'\nL_0_post += active", "learn"', r'", "learn"', 0),
    (SELF_NORMALIZING, r"{reset}\nL_0 = 0", "{reset}", 0),
    # Instantaneous scaling
    (SELF_NORMALIZING, "w += usable * eta", "w += eta", 0),
    (SELF_NORMALIZING, "usable * eta * (active", "usable * (active", 0),
    (SELF_NORMALIZING, "(active * s_max_now + (1", "(s_max_now + (1", 0),
    (SELF_NORMALIZING, "+ (1 - active) * s_min_now - w)", "+ s_min_now - w)", 0),
    (SELF_NORMALIZING, "+ (1 - active) * s_min_now - w)", "- w)", 0),
    (SELF_NORMALIZING, "(1 - active) * s_min_now - w)", "(1 - active) * s_min_now)", 0),
    (SELF_NORMALIZING, 'f"{remember}\\n{_KEEP}"', '""', 0),
    (SELF_NORMALIZING, '{name: f"{name}_post" for', "{name: name for", 0),
    # Lagged scaling
    (SELF_NORMALIZING, "w += scaled_post * eta", "w += eta", 0),
    (SELF_NORMALIZING, "scaled_post * eta * (", "scaled_post * (", 0),
    (SELF_NORMALIZING, "active * s_max_post", "s_max_post", 0),
    (SELF_NORMALIZING, "(1 - active) * s_min_post - w", "(1 - active) * s_min_post", 0),
    (SELF_NORMALIZING, "+ (1 - active) * s_min_post", "", 0),
    (SELF_NORMALIZING, "s_max = usable * s_max_now + (1 - usable) * s_max", "s_max = usable * s_max_now", 0),
    (SELF_NORMALIZING, "s_max = usable * s_max_now", "s_max = s_max_now", 0),
    (SELF_NORMALIZING, "s_min = usable * s_min_now + (1 - usable) * s_min", "s_min = usable * s_min_now", 0),
    (SELF_NORMALIZING, "s_min = usable * s_min_now", "s_min = s_min_now", 0),
    (SELF_NORMALIZING, "clip(scaled + usable, 0, 1)", "1", 0),
    (SELF_NORMALIZING, "clip(scaled + usable, 0, 1)", "usable", 0),
    # Closures
    (CLOSURES, "np.where(good, new_high, high)", "new_high", 0),
    (CLOSURES, "good = good & good_too", "good = good", 0),
    (CLOSURES, "if self.use_old_values else 1):", "if False else 1):", 0),
    (CLOSURES, "if self.use_old_values:\n            return -math.inf", "if False:\n            return -math.inf", 0),
    (CLOSURES, "min(high[usable].min(), low[usable].min())", "low[usable].min()", 0),
    (CLOSURES, "max(high[usable].max(), low[usable].max())", "high[usable].max()", 0),
    (CLOSURES, "self.l_tar / _NEAR <= norms.max()", "0 <= norms.max()", 0),
    (CLOSURES, "<= self.l_tar * _NEAR", "<= self.l_tar * 3", 0),
    (CLOSURES, "(self.n - self._counts) * np.abs(low)", "0", 0),
    (CLOSURES, "0 < len(intervals) <= _MAX_INTERVALS", "0 < len(intervals)", 0),
    (CLOSURES, ">= usable_from_{number} and", ">= 0 and", 0),
    (CLOSURES, "<= usable_to_{number})", "<= n_synapses)", 0),
    (CLOSURES, "int(end) - 1)", "int(end))", 0),
    (CLOSURES, "usable * {count} + (1 - usable) * usable_from_1", "{count}", 0),
    (CLOSURES, '"n": float(n), "share": share', '"n": float(n), "share": 1.0', 0),
    (CLOSURES, "if not closures.have_values:", "if False:", 0),
    # Formulas
    (FORMULAS, 'do("-", 0.0, visit(operand))', "visit(operand)", 0),
    (FORMULAS, "range(abs(exponent) - 1)", "range(abs(exponent))", 0),
    (FORMULAS, "if exponent < 0 else product", "if False else product", 0),
    (FORMULAS, "1.0 if exponent == 0 else base", "base", 0),
    (FORMULAS, "np.abs(rest[0]) >= SMALLEST", "np.abs(rest[0]) >= 0", 0),
    (FORMULAS, '"sqrt": lambda: a >= 0', '"sqrt": lambda: True', 0),
    (FORMULAS, '"clip": lambda: rest[0] <= rest[1]', '"clip": lambda: True', 0),
    (FORMULAS, "np.abs(value) <= LARGEST)", "True)", 0),
    (FORMULAS, ">= {SMALLEST!r})", ">= 0)", 0),
    (FORMULAS, "({allowed} * {operands[1]} + (1 - {allowed}))", "{operands[1]}", 0),
    (FORMULAS, "= int({operands[0]} >= 0)", "= 1", 0),
    (FORMULAS, 'f"{allowed} * {operands[0]}"', "operands[0]", 0),
    (FORMULAS, "= int({operands[1]} <= {operands[2]})", "= 1", 0),
    (FORMULAS, "int(abs({name}_raw) <= {LARGEST!r})", "1", 0),
    (FORMULAS, "{name} = {name}_fits * {name}_raw", "{name} = {name}_raw", 0),
    (FORMULAS, "flags += [flag] if flag else []", "pass", 0),
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
