"""Which traces are recorded, decided once, where they begin: by OpenTelemetry's own variables."""

from collections.abc import Mapping
from typing import Final, NamedTuple

SAMPLER: Final = "OTEL_TRACES_SAMPLER"
ARGUMENT: Final = "OTEL_TRACES_SAMPLER_ARG"
DEFAULT_RATIO: Final = 0.01
"""Where no variable says otherwise; OpenTelemetry's own default is all."""

_PARENT_BASED: Final = "parentbased_"
_RATIO: Final = "traceidratio"
_FIXED: Final = {"always_on": 1.0, "always_off": 0.0}
_DEFAULT: Final = _PARENT_BASED + _RATIO
_KNOWN: Final = [prefix + name for prefix in (_PARENT_BASED, "") for name in (*_FIXED, _RATIO)]
_LOW_BITS: Final = (1 << 64) - 1
"""What a sampler by ratio looks at of a trace's id, in each of OpenTelemetry's languages."""


class Sampling(NamedTuple):
    """A sampler."""

    follows_parent: bool
    """Whether a caller's decision is taken over."""
    ratio: float
    """The share of the other traces that is recorded, from 0 to 1: those for which a number below it is drawn."""

    def takes_child(self, trace_id: int, *, parent_is_sampled: bool) -> bool:
        """Whether to record what a caller does within a trace of its own."""
        if self.follows_parent:
            return parent_is_sampled
        return (trace_id & _LOW_BITS) < round(self.ratio * (_LOW_BITS + 1))


def sampling_in(environment: Mapping[str, str]) -> Sampling:
    """What the variables say. Raises ValueError, with the variable, its value and the rule."""
    sampler = environment.get(SAMPLER, "").strip().lower() or _DEFAULT
    if sampler not in _KNOWN:
        raise ValueError(f"{SAMPLER}={sampler} is none of {', '.join(_KNOWN)}")
    root = sampler.removeprefix(_PARENT_BASED)
    return Sampling(sampler != root, _FIXED[root] if root in _FIXED else _ratio_in(environment))


def _ratio_in(environment: Mapping[str, str]) -> float:
    text = environment.get(ARGUMENT, "").strip()
    try:
        ratio = float(text) if text else DEFAULT_RATIO
    except ValueError:
        ratio = -1.0
    if not 0 <= ratio <= 1:
        raise ValueError(f"{ARGUMENT}={text} is no number from 0 to 1")
    return ratio
