"""The numbers of a chip: how many bits weights, scaling factors and neurons have. Everything is off by default."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from snstdp_cli.config.sections import Section
from snstdp_cli.fields import Number, setting, whole_number

Rounding = Literal["nearest", "stochastic", "floor"]
Divide = Literal["exact", "shift", "table"]
_INTERVAL = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
Range = Annotated[Literal["auto"] | tuple[Number, Number], WithJsonSchema({"anyOf": [{"const": "auto"}, _INTERVAL]})]


def _optional_whole(low: int, high: int) -> Any:
    return Annotated[int, Field(ge=low, le=high), BeforeValidator(whole_number)] | None


_Bits2To16 = _optional_whole(2, 16)
_Shift = _optional_whole(0, 30)
_TableBits = Annotated[int, Field(ge=1, le=16), BeforeValidator(whole_number)]


class WeightPrecision(Section):
    """How the input weights are stored."""

    bits: _Bits2To16 = setting(  # type: ignore[valid-type]
        "bits of a stored input weight, while learning and while answering; null: full precision",
        ("training", "recording"),
        None,
    )
    range: Range = setting(
        "least and greatest weight that can be stored; auto: from the rule's target norm (see docs/hardware.md)",
        ("training", "recording"),
        "auto",
    )
    rounding: Rounding = setting(
        "what becomes of a weight between two that can be stored: the nearest, the lower one, or by chance one of "
        "both, so that it is kept on average",
        ("training", "recording"),
        "nearest",
    )

    @field_validator("range")
    @classmethod
    def _check_range(cls, value: Any) -> Any:
        if value != "auto" and not value[0] < value[1]:
            raise ValueError("expected auto, or the least weight and a greater one")
        return value


class ScalingPrecision(Section):
    """How s_max, s_min and the learning rate of a self-normalizing rule are worked out."""

    bits: _Bits2To16 = setting(  # type: ignore[valid-type]
        "bits of s_max and s_min, within the range of the weights; null: full precision", ("training",), None
    )
    divide: Divide = setting(
        "the division by L_0: exact; shift: its result is the nearest power of two; table: it is looked up, by the "
        "leading bits of L_0",
        ("training",),
        "exact",
    )
    table_bits: _TableBits = setting(
        "a table (divide: table) has at most 2 to the power of this many entries", ("training",), 5
    )
    eta_shift: _Shift = setting(  # type: ignore[valid-type]
        "the rule's learning rate is 2 to the power of minus this (7: 0.0078125), whatever rule.eta says; null: "
        "rule.eta",
        ("training",),
        None,
    )


#: Digits before the point, with the sign: voltages reach -100 mV, and codes and products must fit a double's 53 bits.
_LEAST_WHOLE, _MOST_WHOLE = 8, 12
_Bits8To24 = _optional_whole(8, 24)
_Fraction = _optional_whole(0, 16)


class StatePrecision(Section):
    """Fixed-point numbers of the neurons: voltages, conductances, thresholds, and traces of a neuron."""

    bits: _Bits8To24 = setting(  # type: ignore[valid-type]
        "bits of voltages, conductances, thresholds and a neuron's traces, in two's complement fixed point that "
        "saturates; null: full precision",
        ("training", "recording"),
        None,
    )
    fraction: _Fraction = setting(  # type: ignore[valid-type]
        "of these, digits after the point (voltages in mV); null: all but 8",
        ("training", "recording"),
        None,
    )

    @property
    def fraction_bits(self) -> int:
        """Digits after the point."""
        assert self.bits is not None
        return self.bits - _LEAST_WHOLE if self.fraction is None else self.fraction

    @model_validator(mode="after")
    def _check_whole_digits(self) -> StatePrecision:
        if self.bits is not None and not _LEAST_WHOLE <= self.bits - self.fraction_bits <= _MOST_WHOLE:
            least, most = max(0, self.bits - _MOST_WHOLE), self.bits - _LEAST_WHOLE
            raise ValueError(
                f"fraction: found {self.fraction} of {self.bits} bits, expected {least} to {most}: {_LEAST_WHOLE} to "
                f"{_MOST_WHOLE} bits must be left for the sign and the digits before the point (-100 mV)"
            )
        return self


class PrecisionSettings(Section):
    """Limited precision, as on a chip."""

    weights: WeightPrecision = Field(default_factory=WeightPrecision, description="input weights, as they are stored")
    scaling: ScalingPrecision = Field(
        default_factory=ScalingPrecision, description="s_max, s_min and learning rate of a self-normalizing rule"
    )
    state: StatePrecision = Field(
        default_factory=StatePrecision, description="the neurons' voltages, conductances, thresholds and traces"
    )

    @property
    def limited(self) -> list[str]:
        """The settings by which numbers are held in few bits, by dotted key."""
        found = {
            "precision.weights.bits": self.weights.bits is not None,
            "precision.scaling.bits": self.scaling.bits is not None,
            "precision.scaling.divide": self.scaling.divide != "exact",
            "precision.state.bits": self.state.bits is not None,
        }
        return [key for key, limits in found.items() if limits]

    @model_validator(mode="before")
    @classmethod
    def _empty_parts(cls, values: Any) -> Any:
        """Let `weights:` with nothing below it be an empty part."""
        if isinstance(values, dict):
            return {key: {} if part is None else part for key, part in values.items()}
        return values
