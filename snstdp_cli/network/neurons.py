"""The neurons of Diehl & Cook (2015, doi:10.3389/fncom.2015.00099): constants, equations, threshold and reset.

The constants stand here and nowhere else. The equations handed to Brian 2, their namespace, the integrator
(`integration`) and the start of a network are made from them when a network is built. Results carry the `generation`
that they were made with, which is another one with other constants.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from snstdp_cli.config import GENERATION, Experiment
from snstdp_cli.network.fixed_point import StateFormat, state_format
from snstdp_cli.network.fixed_step import arriving, fixed_excitatory_step, fixed_inhibitory_step
from snstdp_cli.network.integration import excitatory_step, inhibitory_step
from snstdp_cli.network.numbers import neuron_numbers, state_numbers, synapse_numbers, theta_step_mv
from snstdp_cli.rules.base import Plasticity


@dataclass(frozen=True)
class ExcitatoryConstants:
    """Constants of an excitatory neuron; without its unit a name is that of the equations.

    Attributes
    ----------
    v_start_mv
        Voltage of a new network: 40 mV below rest, as in the ancestor.
    v_offset_mv
        The threshold is theta + v_offset.
    E_exc_mv, E_inh_mv
        Reversal potentials of the excitatory and the inhibitory conductance.
    tau_ge_ms, tau_gi_ms
        Decay of the excitatory and the inhibitory conductance.
    """

    v_rest_mv: float = -65.0
    v_reset_mv: float = -65.0
    v_start_mv: float = -105.0
    v_offset_mv: float = -72.0
    E_exc_mv: float = 0.0
    E_inh_mv: float = -100.0
    tau_ms: float = 100.0
    tau_ge_ms: float = 1.0
    tau_gi_ms: float = 2.0
    refractory_ms: float = 5.0


@dataclass(frozen=True)
class InhibitoryConstants:
    """Constants of an inhibitory neuron, which receives excitation only, with a fixed threshold.

    Diehl & Cook give E_inh = -85 mV and tau_gi = 2 ms too; nothing inhibits an inhibitory neuron.
    """

    v_rest_mv: float = -60.0
    v_reset_mv: float = -45.0
    v_start_mv: float = -100.0
    v_threshold_mv: float = -40.0
    E_exc_mv: float = 0.0
    tau_ms: float = 10.0
    tau_ge_ms: float = 1.0
    refractory_ms: float = 2.0


EXCITATORY = ExcitatoryConstants()
INHIBITORY = InhibitoryConstants()
#: Digest of the constants of `GENERATION`: those of Diehl & Cook.
_CONSTANTS_OF_GENERATION = "9433d89562d01678"

#: Spikes of a neuron or input, in a network that counts them.
COUNTER = "spikes_sent"
#: By which each weight of a neuron is multiplied, once its weights are added up. A power, whose last bit may differ
#: from that of a division: it was one when Brian 2 simplified the product for each synapse.
RESCALING_FACTOR = "w_factor_post = w_total * (w_sum_post + int(w_sum_post == 0)) ** -1"
#: Current through the membrane, as the voltage towards which the leak alone would pull it: equation and integrator.
EXC_CURRENT = "(v_rest - v) + ge * (E_exc - v) + gi * (E_inh - v)"
INH_CURRENT = "(v_rest - v) + ge * (E_exc - v)"


@dataclass(frozen=True)
class NeuronModel:
    """A group of neurons in Brian 2's terms, as text and numbers.

    Attributes
    ----------
    equations
        Differential equations and parameters.
    step
        Statements that advance the variables by one time step: what runs in the place of the equations.
    threshold, reset
        Condition of a spike, and statements after one.
    constants
        Values of the names above; the end of a name, `_mv` or `_ms`, is its unit and not part of it.
    rule_constants
        Values of the names that come with a learning rule or a state in fixed point, without units.
    """

    equations: str
    step: str
    threshold: str
    reset: str
    constants: Mapping[str, float]
    rule_constants: Mapping[str, float] = field(default_factory=dict)

    def named_constants(self) -> dict[str, float]:
        """Return the constants by their names in the equations; what has a unit in that unit."""
        return {**{split_unit(name)[0]: value for name, value in self.constants.items()}, **self.rule_constants}


def generation() -> int | str:
    """Return what results are told apart by when the same settings give others: the generation of this version.

    With other constants of the neurons it is one of their own, so that nothing is scored, resumed or shown together
    with what was made before they changed.
    """
    groups = asdict(EXCITATORY), asdict(INHIBITORY)
    constants = json.dumps([{name: float(value) for name, value in one.items()} for one in groups], sort_keys=True)
    digest = hashlib.sha256(constants.encode()).hexdigest()[:16]
    return GENERATION if digest == _CONSTANTS_OF_GENERATION else f"{GENERATION} with neurons {digest}"


def split_unit(name: str) -> tuple[str, str]:
    """Split a constant's name into its name in the equations and its unit, `mv`, `ms` or nothing.

    Examples
    --------
    >>> split_unit("tau_ge_ms"), split_unit("refractory_steps")
    (('tau_ge', 'ms'), ('refractory_steps', ''))
    """
    stem, _, unit = name.rpartition("_")
    return (stem, unit) if unit in ("mv", "ms") else (name, "")


def refractory_steps(refractory_ms: float, dt_ms: float) -> int:
    """Return for how many time steps after a spike a neuron cannot spike again."""
    return max(1, round(refractory_ms / dt_ms))


def excitatory_model(experiment: Experiment, plasticity: Plasticity | None) -> NeuronModel:
    """Describe the excitatory neurons; theta moves and traces exist only while learning."""
    cell, dt, form = EXCITATORY, experiment.dt, state_format(experiment)
    equations = f"""
    dv/dt = ({EXC_CURRENT}) / tau : volt
    dge/dt = -ge / tau_ge : 1
    dgi/dt = -gi / tau_gi : 1
    cooldown : 1             # steps left of the refractory time
    {"theta" if plasticity is None else "dtheta/dt = -theta / tau_theta"} : volt  # adaptive part of the threshold
    """
    reset = "v = v_reset\ncooldown = refractory_steps"
    constants = {**asdict(cell), "refractory_steps": refractory_steps(cell.refractory_ms, dt)}
    decays: list[str] = []
    if plasticity is not None:
        decays = ["theta", *plasticity.traces]
        equations += "".join(f"d{name}/dt = -{name} / tau_{name} : 1\n" for name in plasticity.traces)
        equations += "".join(f"{name} : 1\n" for name in plasticity.neuron_variables)
        equations += "w_sum : 1\nw_factor : 1\n" if plasticity.normalize_to is not None else ""
        reset += f"\ntheta += theta_step\n{plasticity.reset}"
        constants |= {f"tau_{name}_ms": tau_ms for name, tau_ms in plasticity.traces.items()}
        constants |= {"theta_step_mv": theta_step_mv(experiment), "tau_theta_ms": experiment.network.theta_tau_ms}
    step = excitatory_step if form is None else fixed_excitatory_step
    learning = neuron_numbers(experiment, plasticity) if plasticity is not None else {}
    return NeuronModel(
        equations=equations,
        step=step(cell, EXC_CURRENT, dt, experiment.network.integration, decays),
        threshold=f"v > theta + v_offset{_beyond(form)} and cooldown == 0",
        reset=reset,
        constants=constants | _half_code(form),
        rule_constants={**learning, **state_numbers(experiment)},
    )


def _beyond(form: StateFormat | None) -> str:
    """Return what a threshold is exceeded by: in fixed point by a code, which the last digits of a voltage do not."""
    return "" if form is None else " + half_code"


def _half_code(form: StateFormat | None) -> dict[str, float]:
    return {} if form is None else {"half_code_mv": form.half_code_mv}


def counting_spikes(model: NeuronModel) -> NeuronModel:
    """Return neurons that count their spikes."""
    return replace(
        model, equations=f"{model.equations}\n{COUNTER} : 1\n", reset=f"{model.reset.rstrip()}\n{COUNTER} += 1"
    )


def inhibitory_model(experiment: Experiment) -> NeuronModel:
    """Describe the inhibitory neurons."""
    cell, dt, form = INHIBITORY, experiment.dt, state_format(experiment)
    step = inhibitory_step if form is None else fixed_inhibitory_step
    return NeuronModel(
        equations=f"""
        dv/dt = ({INH_CURRENT}) / tau : volt
        dge/dt = -ge / tau_ge : 1
        cooldown : 1
        """,
        step=step(cell, INH_CURRENT, dt, experiment.network.integration),
        threshold=f"v > v_threshold{_beyond(form)} and cooldown == 0",
        reset="v = v_reset\ncooldown = refractory_steps",
        constants={
            **asdict(cell),
            "refractory_steps": refractory_steps(cell.refractory_ms, dt),
            **_half_code(form),
        },
        rule_constants=state_numbers(experiment),
    )


@dataclass(frozen=True)
class SynapseModel:
    """The input synapses in Brian 2's terms: equations, and statements by the pathway that runs them."""

    equations: str
    on_pre: Mapping[str, str]
    on_post: Mapping[str, str]
    #: Events of the pathways that do not run at a spike.
    events: Mapping[str, str]
    constants: Mapping[str, float]


def synapse_model(plasticity: Plasticity | None, state: Mapping[str, float] | None = None) -> SynapseModel:
    """Describe the synapses of the inputs; `state` are the numbers of one in fixed point, if it is that."""
    arrival, numbers = f"ge_post += {arriving('w') if state else 'w'}", dict(state or {})
    if plasticity is None:
        return SynapseModel("w : 1", {"pre": arrival}, {}, {}, numbers)
    on_pre = {"pre": f"{arrival}\narrived = t_in_timesteps\n{plasticity.on_pre}"}
    events: dict[str, str] = {}
    if plasticity.normalize_to is not None:
        # From the inputs' side, so that the weights are read in the order in which they lie in memory.
        on_pre |= {
            "sum_weights": "w_sum_post += w",
            "rescale": "w = w * w_factor_post",
        }
        events = {"sum_weights": "begin", "rescale": "begin"}
    return SynapseModel(
        *("w : 1\narrived : integer", on_pre, dict(plasticity.on_post), events),
        {**synapse_numbers(plasticity), **numbers},
    )
