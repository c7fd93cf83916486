"""Formulas for `s_max` and `s_min`: what is accepted, that the defaults are version 0.1's, and that nothing breaks.

Random formulas are run on the very statements that go to Brian 2, with every warning of NumPy an error: a division by
zero, an overflow or an invalid operation anywhere in them, used or not, fails the test.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import statements
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from stated import StatedNeuron

from snstdp_cli.config import build_experiment
from snstdp_cli.errors import ConfigError
from snstdp_cli.rules import RULES, Plasticity, RuleContext
from snstdp_cli.rules.closures import NAMES, make_closures
from snstdp_cli.rules.expressions import LARGEST, check_expression
from snstdp_cli.rules.formulas import evaluate, translate, write

N = 6
SCALINGS = ("lagged", "instantaneous")
DEFAULTS = {"smax": ("L_tar / L_0", "0"), "smin": ("share * L_tar / L_0", "-(1 - share) * L_tar / (n - L_0)")}


def build(name: str = "smin", n: int = N, **values: Any) -> Plasticity:
    rule = RULES[name]
    return rule.build(rule.parameters(a_tar=5.0 / n, **values), RuleContext(0.5, n))


def refusal(text: object, key: str = "s_max") -> str:
    with pytest.raises(ConfigError) as caught:
        build_experiment({"rule": {"name": "smin", key: text}}, where="my.yaml")
    return str(caught.value)


# What is accepted


def test_one_formula_has_one_spelling() -> None:
    for text in ("L_tar/(L_0+1)", " L_tar /\n ( L_0 + 1 )", "(L_tar) / (L_0 + 1)"):
        assert RULES["smax"].parameters(s_max=text).s_max == "L_tar / (L_0 + 1)"
    assert RULES["smax"].parameters(s_min=-1).s_min == "-1"
    assert build_experiment({"rule": {"name": "smin", "s_max": "0.5"}}).rule.parameters["s_max"] == "0.5"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("L_tar / L0", "unknown name 'L0'; did you mean 'L_0'?; known: L_tar, L_0, n, share, s_max, s_min"),
        ("a_tar * positive_share", "unknown name"),
        ("sqr(L_0)", "unknown function 'sqr'; did you mean 'sqrt'?; known: abs, sqrt, clip"),
        ("exp(L_0)", "unknown function 'exp'; known: abs, sqrt, clip"),
        ("clip(L_0, 1)", "clip has 2 arguments; expected 3"),
        ("abs(**n)", "found 'abs(**n)'"),
        ("L_0.real", "found 'L_0.real'; a formula consists of numbers, + - * / ** ( ), abs, sqrt and clip"),
        ("abs.real(n)", "found 'abs.real(n)'"),
        ("1 if n else 2", "found '1 if n else 2'"),
        ("n // 2", "found 'n // 2'"),
        ("L_0 ** share", "found the exponent 'share'; expected a whole number from -8 to 8"),
        ("L_0 ** 9", "found the exponent '9'"),
        ("__import__('os')", 'found the character "\'"'),
        ("n[0]", "found the character '['"),
        ("ｎ", "found the character '\\uff4e'"),
        ("\x1b[31m", "found the character '\\x1b'"),
        ("1e400", "a number in it is larger than 1e+30"),
        ("9" * 200, "a number in it is larger than 1e+30"),
        ("1j", "found '1j'; expected a number"),
        ("True", "found 'True'; expected a number"),
        ("L_tar /", "no formula: invalid syntax; expected one such as L_tar / L_0"),
        ("", "no formula"),
        ("-" * 100 + "n", "more than 40 operations deep"),
        ("(" * 140 + "n" + ")" * 140, ""),
        ("n + " * 100 + "n", "a formula of 401 characters; expected at most 300"),
        (True, "expected a formula as text, such as L_tar / L_0"),
        (["n"], "expected a formula as text, such as L_tar / L_0"),
        (float("nan"), "expected a formula as text, such as L_tar / L_0"),
    ],
)
def test_whatever_is_no_arithmetic_with_the_known_names_is_refused_in_a_sentence(text: object, message: str) -> None:
    if not message:
        assert check_expression(str(text), NAMES) == "n"
        return
    found = refusal(text)
    assert found.startswith("my.yaml: rule.s_max: found ")
    assert message in found
    assert found.isprintable()


@given(st.text(max_size=40) | st.text("L_0tarnshe*/+-()., 1", max_size=40))
def test_any_text_is_a_formula_or_refused(text: str) -> None:
    try:
        accepted = check_expression(text, NAMES)
    except ValueError as error:
        refused = str(error)
        assert refused.isprintable()
        return
    assert check_expression(accepted, NAMES) == accepted


@pytest.mark.parametrize(("s_max", "s_min"), [("1 / 0", "0"), ("0", "1 / (L_0 - L_0)"), ("sqrt(-n)", "s_min")])
def test_formulas_without_any_value_are_refused_when_the_rule_is_built(s_max: str, s_min: str) -> None:
    with pytest.raises(ConfigError, match=r"rule\.s_max, rule\.s_min: .* no finite values together for any L_0 from 0"):
        build(s_max=s_max, s_min=s_min)


# The defaults


class Version01:
    """The statements of version 0.1, operation by operation."""

    def __init__(self, w: np.ndarray, share: float, lagged: bool, eta: float) -> None:
        self.w, self.lagged, self.eta, self.n = w.copy(), lagged, eta, len(w)
        l_tar = 5.0 / self.n * self.n
        self.up, self.down = share * l_tar, -(1 - share) * l_tar
        self.s_max = self.s_min = self.scaled = 0.0

    def fire(self, active: np.ndarray) -> None:
        count = float(active.sum())
        usable = int(1 <= count <= (self.n if self.down == 0 else self.n - 1))
        s_max = usable * self.up / np.clip(count, 1, self.n)
        s_min = usable * self.down / np.clip(self.n - count, 1, self.n)
        if not self.lagged:
            self.w += usable * self.eta * (active * s_max + (1 - active) * s_min - self.w)
            return
        self.w += self.scaled * self.eta * (active * self.s_max + (1 - active) * self.s_min - self.w)
        self.s_max = s_max + (1 - usable) * self.s_max
        self.s_min = s_min + (1 - usable) * self.s_min
        self.scaled = min(self.scaled + usable, 1)


@pytest.mark.parametrize("scaling", SCALINGS)
@given(
    n=st.integers(2, 40),
    share=st.sampled_from([None, 0.0, 0.5, 1.0]) | st.floats(0, 1),
    eta=st.floats(0.001, 1),
    seed=st.integers(0, 1000),
)
def test_the_default_formulas_give_the_weights_of_version_01_to_the_last_bit(
    scaling: str, n: int, share: float | None, eta: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    w = random.uniform(-3, 3, n)
    values: dict[str, Any] = {} if share is None else {"positive_share": share}
    name = "smax" if share is None else "smin"
    new = StatedNeuron(build(name, n, eta=eta, scaling=scaling, **values), w)
    old = Version01(w, 1.0 if share is None else share, scaling == "lagged", eta)
    for _ in range(20):
        active = random.random(n) < random.choice([0, 0.2, 0.8, 1])
        new.fire(active)
        old.fire(active)
        np.testing.assert_array_equal(new.w, old.w)


@pytest.mark.parametrize("name", ["smax", "smin"])
def test_the_defaults_are_shown_as_ours_and_replaceable(name: str) -> None:
    parameters, equations = RULES[name].parameters(), " / ".join(RULES[name].equations)
    for key, formula in zip(("s_max", "s_min"), DEFAULTS[name], strict=True):
        assert getattr(parameters, key) == formula
        assert f"{key} = {formula}" in equations
    assert "rule.s_max and rule.s_min take other formulas" in equations
    assert "Derived by us" in RULES[name].notes


@pytest.mark.parametrize("scaling", SCALINGS)
def test_other_numbers_are_the_same_statements_with_other_constants(scaling: str) -> None:
    one, other = build(scaling=scaling), build(scaling=scaling, eta=0.5, positive_share=0.2)
    assert (one.on_post, one.reset) == (other.on_post, other.reset)
    assert one.constants != other.constants


@pytest.mark.parametrize("name", ["smax", "smin"])
def test_the_defaults_cost_one_operation_each_and_no_guard_a_step(name: str) -> None:
    learn = build(name, scaling="instantaneous").on_post["learn"]
    assert learn.count("/") == (1 if name == "smax" else 2)
    assert "abs" not in learn
    lagged = build(name)
    assert "/" not in lagged.on_post["learn"]
    assert lagged.reset.count("/") == (1 if name == "smax" else 2)


# Other formulas

numbers = st.sampled_from(["0", "1", "2", "0.5", "3", "6", "1e20", "1e-20", "1e30"])
leaves = numbers | st.sampled_from(NAMES)


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda x: f"({x[0]} {x[1]} {x[2]})"),
        inner.map(lambda x: f"(-{x})"),
        st.tuples(inner, st.sampled_from(["-8", "-1", "0", "2", "8"])).map(lambda x: f"({x[0]}) ** {x[1]}"),
        inner.map(lambda x: f"abs({x})"),
        inner.map(lambda x: f"sqrt({x})"),
        st.tuples(inner, inner, inner).map(lambda x: f"clip({x[0]}, {x[1]}, {x[2]})"),
    )


formulas = st.recursive(leaves, _grow, max_leaves=6).filter(lambda text: len(text) <= 300)
patterns = st.lists(arrays(bool, N), min_size=1, max_size=8)


@pytest.mark.parametrize("scaling", SCALINGS)
@settings(max_examples=150)
@given(s_max=formulas, s_min=formulas, share=st.sampled_from([0.0, 0.5, 1.0]), trains=patterns)
def test_no_formula_lets_anything_that_is_not_finite_arise(
    scaling: str, s_max: str, s_min: str, share: float, trains: list[np.ndarray]
) -> None:
    try:
        plasticity = build(s_max=s_max, s_min=s_min, positive_share=share, scaling=scaling)
    except ConfigError as error:
        assert "no finite values together" in str(error)  # noqa: PT017
        return
    neuron = StatedNeuron(plasticity, np.linspace(-1, 1, N))
    with np.errstate(all="raise", under="ignore"):
        for active in (np.zeros(N, bool), np.ones(N, bool), *trains):
            before = neuron.w.copy(), dict(neuron.neuron)
            neuron.fire(active)
            assert all(np.isfinite(value).all() for value in (neuron.w, *neuron.neuron.values()))
            low, high = plasticity.bounds
            slack = 1e-9 * max(1.0, abs(neuron.w).max())
            assert (neuron.w >= min(low, before[0].min()) - slack).all()
            assert (neuron.w <= max(high, before[0].max()) + slack).all()


@settings(max_examples=150)
@given(s_max=formulas, s_min=formulas, share=st.sampled_from([0.0, 0.5, 1.0]))
def test_a_spike_without_a_value_changes_no_scaling_and_one_with_values_takes_them(
    s_max: str, s_min: str, share: float
) -> None:
    try:
        plasticity = build(s_max=s_max, s_min=s_min, positive_share=share)
    except ConfigError:
        return
    for count in range(N + 1):
        neuron = StatedNeuron(plasticity, np.zeros(N))
        neuron.neuron |= {"s_max": 0.75, "s_min": -0.25}
        neuron.fire(np.arange(N) < count)
        names = {
            "L_tar": 5.0 / N * N,
            "L_0": float(count),
            "n": float(N),
            "share": share,
            "s_max": 0.75,
            "s_min": -0.25,
        }
        wanted = [plainly(text, names) for text in (s_max, s_min)]
        found = neuron.neuron["s_max"], neuron.neuron["s_min"]
        if None in wanted:
            assert (found, neuron.neuron["scaled"]) == ((0.75, -0.25), 0)
        else:
            assert (found, neuron.neuron["scaled"]) == (tuple(wanted), 1)


def plainly(text: str, names: dict[str, float]) -> float | None:
    """Work a formula out by Python itself, each step looked at; None if a step has no value."""
    import ast

    def visit(node: Any) -> float:
        match node:
            case ast.Constant():
                return float(node.value)
            case ast.Name():
                return names[node.id]
            case ast.UnaryOp():
                return fine(0 - visit(node.operand))
            case ast.BinOp(op=ast.Pow()):
                exponent = int(ast.literal_eval(node.right))
                base = visit(node.left)
                product = 1.0 if exponent == 0 else base
                for _ in range(abs(exponent) - 1):
                    product = fine(product * base)
                return divide(1.0, product) if exponent < 0 else product
            case ast.BinOp(op=ast.Div()):
                return divide(visit(node.left), visit(node.right))
            case ast.BinOp():
                a, b = visit(node.left), visit(node.right)
                return fine({ast.Add: a + b, ast.Sub: a - b, ast.Mult: a * b}[type(node.op)])
        arguments = [visit(argument) for argument in node.args]
        if node.func.id == "clip":
            value, low, high = arguments
            if low > high:
                raise ArithmeticError
            return min(max(value, low), high)
        return abs(arguments[0]) if node.func.id == "abs" else root(arguments[0])

    def fine(value: float) -> float:
        if not abs(value) <= 1e30:
            raise ArithmeticError
        return value

    def divide(a: float, b: float) -> float:
        if abs(b) < 1e-30:
            raise ArithmeticError
        return fine(a / b)

    def root(value: float) -> float:
        if value < 0:
            raise ArithmeticError
        return math.sqrt(value)

    try:
        return visit(ast.parse(text, mode="eval").body)
    except ArithmeticError:
        return None


@pytest.mark.parametrize(
    ("text", "has_value"),
    [
        ("1e-35 / L_0", [False, False, True, True]),  # 1e-35 / 1e-40 is not large, but not to be divided
        ("sqrt(L_0)", [True, True, True, False]),
        ("clip(L_0, 0, L_0)", [True, True, True, False]),
        ("L_0 * L_0", [True, True, True, False]),
    ],
)
def test_where_a_formula_has_no_value_there_is_a_zero(text: str, has_value: list[bool]) -> None:
    formula, count = translate(text, {}, "x"), np.array([0.0, 1e-40, 4.0, -1e200])
    values, good = evaluate(formula, {"L_0": count})
    assert good.tolist() == has_value
    assert np.isfinite(values).all()
    assert not values[~good].any()


@pytest.mark.parametrize("text", ["1e-35 / L_0", "sqrt(L_0)", "clip(L_0, 0, L_0)", "L_0 * L_0", "L_0 * L_0 - L_0 ** 3"])
def test_guarded_statements_give_what_the_formula_gives(text: str) -> None:
    formula, count = translate(text, {}, "x"), np.array([0.0, 1e-40, 4.0, -4.0, 1e12, -1e20])
    constants: dict[str, float] = {}
    lines, result, flags = write(formula, {}, constants, "x", guarded=True)
    with np.errstate(all="raise", under="ignore"):
        after = statements.run("\n".join(lines), {"L_0": count, "sqrt": np.sqrt, "clip": np.clip, **constants})
    values, good = evaluate(formula, {"L_0": count})
    np.testing.assert_array_equal(np.prod([after[flag] for flag in flags], axis=0), good)
    np.testing.assert_array_equal(after[result] * good, values)
    for step in formula.steps:  # what does not fit goes no further
        assert np.abs(after[step.name]).max() <= LARGEST


@pytest.mark.parametrize(("name", "share"), [("smax", 1.0), ("smin", 0.5)])
def test_a_formula_reads_the_rules_share(name: str, share: float) -> None:
    neuron = StatedNeuron(build(name, s_max="share"), np.zeros(N))
    neuron.fire(np.arange(N) < 2)
    assert neuron.s_max == share


def test_a_formula_with_a_value_at_no_active_synapse_uses_it() -> None:
    plasticity = build("smax", s_max="L_tar / clip(L_0, 1, n)")
    neuron = StatedNeuron(plasticity, np.zeros(N))
    neuron.fire(np.zeros(N, bool))
    assert neuron.s_max == 5.0


def test_a_formula_of_old_values_is_followed_from_spike_to_spike() -> None:
    # s_max: 0 -> 0.5 * 0 + 0.5 * 5 / 2 = 1.25 -> 0.5 * 1.25 + 0.5 * 5 / 2 = 1.875; no value at L_0 = 0
    plasticity = build("smax", s_max="0.5 * s_max + 0.5 * L_tar / L_0", s_min="s_max - s_max")
    neuron, found = StatedNeuron(plasticity, np.zeros(N)), []
    for count in (2, 0, 2):
        neuron.fire(np.arange(N) < count)
        found.append(neuron.s_max)
    assert found == [1.25, 1.25, 1.875]
    assert plasticity.bounds == (-math.inf, math.inf)
    assert plasticity.l1_target == pytest.approx(5)


def test_instantaneous_scaling_with_old_values_uses_this_spikes_values_and_keeps_them() -> None:
    plasticity = build("smax", s_max="s_max + 1 / L_0", scaling="instantaneous", eta=1)
    neuron = StatedNeuron(plasticity, np.zeros(N))
    for expected in (0.5, 1.0):
        neuron.fire(np.arange(N) < 2)
        assert neuron.w.tolist() == [expected, expected, 0, 0, 0, 0]
        assert neuron.neuron["s_max"] == expected


@pytest.mark.parametrize(
    ("s_max", "s_min", "bounds", "target"),
    [
        ("L_tar / L_0", "0", (0, 5), 5),
        ("2 * L_tar / L_0", "0", (0, 10), None),
        ("L_tar / (L_0 + 1)", "0", (0, 5), 5),
        ("0.1 * L_tar / L_0", "-1", (-1, 0.5), 5),
        ("0.1 / (L_0 - 3)", "s_min * 0", (-math.inf, math.inf), None),
        ("0.1 / (L_0 - 3)", "0", (-0.1, 0.1), None),
        # Without a value from the second spike on: the first one's stays.
        ("L_tar / L_0 + 0 / (s_max - L_tar / L_0)", "0", (-math.inf, math.inf), 5),
    ],
)
def test_bounds_and_target_fit_the_formulas(
    s_max: str, s_min: str, bounds: tuple[float, float], target: float | None
) -> None:
    plasticity = build("smax", s_max=s_max, s_min=s_min)
    assert plasticity.bounds == pytest.approx(bounds)
    # A repeated pattern with L_0 = 1 leads to 0.5 + 5 in the fourth line, all others to less.
    assert plasticity.l1_target == (None if target is None else pytest.approx(target))


def test_values_that_come_and_go_too_often_are_guarded_at_every_step() -> None:
    poles = " * ".join(f"(L_0 - {k})" for k in range(1, 18, 2))
    for text, intervals in ((f"1 / ({poles})", 10), ("1 / (L_0 - 1)", 2)):
        closures = make_closures(text, "0", 78.0, 20, 1.0)
        statements, constants = closures.statements("L_0", {})
        assert len(closures.intervals) == intervals
        assert ("_allowed" in statements) == (intervals > 8)
        assert ("usable_to_2" in constants) == (intervals <= 8)
        neuron = StatedNeuron(build("smax", 20, s_max=text), np.zeros(20))
        for count in range(21):
            neuron.neuron["scaled"] = 0.0
            neuron.fire(np.arange(20) < count)
            assert bool(neuron.neuron["scaled"]) == any(low <= count <= high for low, high in closures.intervals)
