"""predict_then_learn: the probabilities from before a line is learned, then the same engine, bit for bit."""

import pytest

from sartor.dsjson import context_json, single_slot
from sartor.errors import EngineRefused
from sartor.lab.fill_log import fill_log
from sartor.lab.registry import open_world
from sartor.learn.vw import create_engine
from sartor.records import LoggedDecision, Outcome
from sartor.testing.builders import make_loop
from sartor.testing.stores import MemoryStores

EXPLORATIONS = (
    "--epsilon 0.2 --cb_type mtr -q ::",
    "--squarecb --cb_type mtr -q ::",
    "--epsilon 0.1 --cb_type ips",
    "--epsilon 0.1 --cb_type dr -q ::",
    "--regcb --cb_type mtr",
    "--regcbopt --cb_type mtr -q ::",
    "--cover 3 --cb_type mtr",
    "--bag 4 --cb_type mtr",
    "--softmax --lambda 3 --cb_type mtr",
    "--first 50 --cb_type mtr",
    "--rnd 3 --epsilon 0.05 --cb_type mtr",
    "--synthcover --cb_type mtr",
)


@pytest.fixture(scope="module")
def logged_outcomes() -> list[tuple[LoggedDecision, Outcome]]:
    logs = MemoryStores().open(make_loop())
    fill_log(logs, open_world("tutorial"), None, loop_id="x", turns=150)
    decisions = logs.events.decisions(after=0, limit=150)
    outcomes = [one.outcome for one in logs.outcomes.outcomes(after=0, limit=150)]
    return list(zip(decisions, outcomes, strict=True))


@pytest.mark.parametrize("exploration", EXPLORATIONS)
def test_it_predicts_and_then_learns(
    logged_outcomes: list[tuple[LoggedDecision, Outcome]], exploration: str
) -> None:
    arguments = f"--cb_explore_adf {exploration}"
    two_steps, one_step = create_engine(arguments), create_engine(arguments)
    for logged, outcome in logged_outcomes:
        rankable = logged.decision.rankable
        line = single_slot.encode_outcome_line(logged, outcome)
        expected = two_steps.probabilities(
            context_json.encode_decision_context(logged.decision, rankable), len(rankable)
        )
        two_steps.learn(line)
        assert one_step.predict_then_learn(line, len(rankable)) == expected
    last = logged_outcomes[-1][0].decision
    context = context_json.encode_decision_context(last, last.rankable)
    assert one_step.probabilities(context, len(last.rankable)) == two_steps.probabilities(
        context, len(last.rankable)
    )
    two_steps.close()
    one_step.close()


def test_what_does_not_fit_is_refused_and_the_engine_stays_usable(
    logged_outcomes: list[tuple[LoggedDecision, Outcome]],
) -> None:
    judging = create_engine("--cb_explore_adf --epsilon 0.2")
    logged, outcome = logged_outcomes[0]
    line = single_slot.encode_outcome_line(logged, outcome)
    count = len(logged.decision.rankable)
    with pytest.raises(EngineRefused):
        judging.predict_then_learn(line, count + 1)
    with pytest.raises(EngineRefused):
        judging.predict_then_learn(b'{"no":"label"}', count)
    assert sum(judging.predict_then_learn(line, count)) == pytest.approx(1)
    judging.close()


def test_an_engine_for_several_slots_judges_no_single_ones(
    logged_outcomes: list[tuple[LoggedDecision, Outcome]],
) -> None:
    several = create_engine("--ccb_explore_adf --epsilon 0.2")
    with pytest.raises(EngineRefused, match="several slots"):
        several.predict_then_learn(single_slot.encode_outcome_line(*logged_outcomes[0]), 3)
    several.close()
