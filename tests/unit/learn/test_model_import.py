"""A foreign model is checked, tried, and written again."""

import pytest

from sartor.dsjson import context_json, single_slot
from sartor.errors import Corrupt, InvalidModel
from sartor.learn.model_file import add_checksum, strip_checksum
from sartor.learn.model_import import convert_model
from sartor.learn.vw import create_engine
from sartor.records import LoggedDecision
from sartor.testing.builders import make_decision, make_outcome

OWN = "--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.1 --cb_type mtr -q ::"


def line(number: int) -> bytes:
    decision = make_decision(f"event-{number}", chosen=number % 3)
    return single_slot.encode_outcome_line(
        LoggedDecision(number, number, decision), make_outcome(number, reward=float(number % 3 == 1))
    )


def train_model(arguments: str = OWN, *, count: int = 30) -> bytes:
    made = create_engine(arguments)
    for number in range(count):
        made.learn(line(number))
    blob = made.dump()
    made.close()
    return blob


def predict(arguments: str, blob: bytes, *, after: int = 0) -> list[float]:
    """What an engine answers that learned some more."""
    made = create_engine(arguments, blob)
    for number in range(100, 100 + after):
        made.learn(line(number))
    decision = make_decision()
    answer = made.probabilities(context_json.encode_context(decision.context, decision.actions), 3)
    made.close()
    return answer


@pytest.mark.parametrize(
    "arguments",
    [OWN, "--cb_explore_adf --squarecb --cb_type mtr -q ::", "--cb_explore_adf --bag 3 --cb_type mtr"],
)
def test_an_adopted_model_goes_on_as_the_one_it_was(arguments: str) -> None:
    blob = train_model(arguments)
    other = convert_model(strip_checksum(blob), arguments)
    assert predict(arguments, other) == predict(arguments, blob)
    assert predict(arguments, other, after=10) == predict(arguments, blob, after=10)
    assert predict(arguments, other) != predict(arguments, train_model(arguments, count=0))


def test_the_trial_leaves_no_trace() -> None:
    assert convert_model(strip_checksum(train_model()), OWN) == convert_model(
        strip_checksum(convert_model(strip_checksum(train_model()), OWN)), OWN
    )


def test_a_model_that_does_not_fit_is_refused_with_its_own_settings() -> None:
    with pytest.raises(InvalidModel, match=r"without --squarecb\. Its own are: .*--quadratic ::"):
        convert_model(strip_checksum(train_model()), "--cb_explore_adf --squarecb --cb_type mtr -q ::")


def test_a_seal_is_checked() -> None:
    blob = add_checksum(b"model")
    assert strip_checksum(blob) == b"model"
    for changed in (b"Model" + blob[5:], blob[:-1], blob[:-1] + bytes([blob[-1] ^ 1]), b"", blob + b"x"):
        with pytest.raises(Corrupt):
            strip_checksum(changed)
