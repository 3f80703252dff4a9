import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

from service.traces.sampling import Sampling, sampling_in
from support.fixtures.traces import TRACE


@pytest.mark.parametrize(
    ("sampler", "argument", "expected"),
    [
        ("", "", Sampling(follows_parent=True, ratio=0.01)),
        ("", "0.25", Sampling(follows_parent=True, ratio=0.25)),
        ("parentbased_traceidratio", "1", Sampling(follows_parent=True, ratio=1)),
        ("traceidratio", "0", Sampling(follows_parent=False, ratio=0)),
        ("always_on", "0.1", Sampling(follows_parent=False, ratio=1)),
        ("always_off", "", Sampling(follows_parent=False, ratio=0)),
        ("parentbased_always_on", "", Sampling(follows_parent=True, ratio=1)),
        ("ParentBased_Always_Off", "", Sampling(follows_parent=True, ratio=0)),
    ],
)
def test_opentelemetrys_variables_say_what_is_recorded(sampler: str, argument: str, expected: Sampling) -> None:
    assert sampling_in({"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": argument}) == expected


def test_without_variables_one_in_a_hundred_is() -> None:
    assert sampling_in({}) == Sampling(follows_parent=True, ratio=0.01)


@pytest.mark.parametrize("argument", ["half", "-0.1", "1.1", "nan", "inf", "1%"])
def test_an_argument_that_is_no_share_is_refused(argument: str) -> None:
    with pytest.raises(ValueError, match=f"^OTEL_TRACES_SAMPLER_ARG={argument} is no number from 0 to 1$"):
        sampling_in({"OTEL_TRACES_SAMPLER_ARG": argument})


def test_a_sampler_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(
        ValueError, match=r"^OTEL_TRACES_SAMPLER=some is none of parentbased_always_on, .*traceidratio$"
    ):
        sampling_in({"OTEL_TRACES_SAMPLER": "some"})


@pytest.mark.parametrize("ratio", [0.0, 1.0])
@pytest.mark.parametrize("sampled", [True, False])
def test_one_that_follows_its_parent_does_as_it_does(ratio: float, *, sampled: bool) -> None:
    assert Sampling(follows_parent=True, ratio=ratio).takes_child(TRACE, parent_is_sampled=sampled) == sampled


@given(trace=st.integers(0, 2**128 - 1), ratio=st.sampled_from([0.0, 0.01, 0.5, 1.0]), sampled=st.booleans())
def test_one_that_does_not_decides_by_the_traces_id_as_all_of_opentelemetrys_do(
    trace: int, ratio: float, *, sampled: bool
) -> None:
    theirs = TraceIdRatioBased(ratio).should_sample(None, trace, "any").decision.is_sampled()
    assert Sampling(follows_parent=False, ratio=ratio).takes_child(trace, parent_is_sampled=sampled) == theirs
