"""One pass: decide, be scored, then learn; each event read once, whoever takes part."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from sartor.errors import EngineRefused
from sartor.estimators.interval import Bounds
from sartor.evaluation.batch import CandidateSpec, score_candidates
from sartor.evaluation.progressive_validation import Candidate, CandidateScore, ProgressiveValidation
from sartor.evaluation.spec import Source
from sartor.evaluation.time_range import find_outcome_range, read_settled
from sartor.explore.decide import decide
from sartor.explore.recompute import rebuild_request
from sartor.learn.vw import create_engine
from sartor.mixture import MixtureRules
from sartor.ports import Engine, LoopStores
from sartor.records import LoggedDecision, Outcome, RankInput
from sartor.testing.builders import make_decision, make_outcome
from sartor.testing.fakes import SingleSlot
from tests.unit.evaluation.small_logs import GREEDY, LINEAR, SQUARE, make_small_log

REFERENCE: tuple[tuple[str, Source], ...] = (
    ("Online", "Online"),
    ("Baseline", "Baseline"),
    ("Random", "Random"),
)


class RecordingEngine(SingleSlot):
    """An engine that records its calls; with ``refusing`` it refuses every tenth prediction."""

    def __init__(self, *, refusing: bool = False) -> None:
        self.entries: list[str] = []
        self._refusing = refusing

    def probabilities(self, context: bytes, actions: int, /) -> list[float]:
        self.entries.append("predict")
        if self._refusing and self.entries.count("predict") % 10 == 0:
            raise EngineRefused("no")
        return [1.0 / actions] * actions

    def learn(self, line: bytes, /) -> None:
        self.entries.append("learn")

    def dump(self) -> bytes:
        return b"recording"

    def close(self) -> None:
        return


def validate(logs: LoopStores, *engines: Engine) -> list[CandidateScore]:
    """Scores the three reference policies, and these engines."""
    candidates = [Candidate(name=name, arguments="", source=source) for name, source in REFERENCE]
    candidates += [
        Candidate(name=str(number), arguments="", source="Custom", engine=one)
        for number, one in enumerate(engines)
    ]
    outcomes = find_outcome_range(logs, start_us=0, end_us=2**53)
    validation = ProgressiveValidation(candidates, bounds=outcomes.bounds, bin_us=outcomes.bin_us)
    for settled in read_settled(logs, outcomes):
        validation.add(settled.decision, settled.outcome)
    return validation.finish()


def candidates(*arguments: str) -> tuple[CandidateSpec, ...]:
    return tuple(CandidateSpec(name=text, arguments=text, source="Custom") for text in arguments)


def test_nothing_is_scored_by_an_engine_that_has_learned_it() -> None:
    _, logs, _ = make_small_log(30)
    recording = RecordingEngine()
    (found,) = validate(logs, recording)[3:]
    assert recording.entries == ["predict", "learn"] * 30
    assert (found.learned, found.refused, found.model) == (30, 0, b"recording")
    assert found.scores[""].estimators.ips.rows == 30


def test_a_policy_that_draws_at_random_scores_as_random() -> None:
    _, logs, _ = make_small_log(200)
    _, _, random, recording = validate(logs, RecordingEngine())
    assert recording.scores[""].estimators.ips == random.scores[""].estimators.ips


def test_what_was_done_is_worth_what_was_earned() -> None:
    _, logs, _ = make_small_log(200)
    online = validate(logs)[0].scores[""].estimators
    rewards = [logged.outcome.reward for logged in logs.outcomes.outcomes(after=0, limit=200)]
    assert online.ips.value() == pytest.approx(sum(rewards) / 200)
    assert online.snips.value() == pytest.approx(sum(rewards) / 200)
    assert online.ips.weight == pytest.approx(200)


def test_the_baseline_scores_where_the_first_action_was_taken() -> None:
    _, logs, _ = make_small_log(200)
    baseline = validate(logs)[1].scores[""].estimators.ips
    decisions = {one.seq: one.decision for one in logs.events.decisions(after=0, limit=200)}
    expected = sum(
        one.outcome.reward / decisions[one.outcome.decision_seq].propensity
        for one in logs.outcomes.outcomes(after=0, limit=200)
        if decisions[one.outcome.decision_seq].chosen == 0
    )
    assert baseline.product == pytest.approx(expected)


def test_what_can_not_be_ranked_is_left_out_for_that_policy_alone() -> None:
    _, logs, _ = make_small_log(50)
    refusing, well = validate(logs, RecordingEngine(refusing=True), RecordingEngine())[3:]
    assert (refusing.refused, refusing.scores[""].estimators.ips.rows, refusing.learned) == (5, 45, 50)
    assert (well.refused, well.scores[""].estimators.ips.rows) == (0, 50)


def test_candidates_don_t_disturb_one_another() -> None:
    _, logs, _ = make_small_log(150)
    read = find_outcome_range(logs, start_us=0, end_us=2**53)
    together = score_candidates(logs, create_engine, read, candidates(SQUARE, LINEAR, GREEDY)).scores
    for arguments, among in zip((SQUARE, LINEAR, GREEDY), together, strict=True):
        (alone,) = score_candidates(logs, create_engine, read, candidates(arguments)).scores
        assert alone.scores == among.scores
        assert alone.model is not None


class Counting:
    """An event log that counts how many decisions were read."""

    def __init__(self, logs: LoopStores) -> None:
        self.events = self
        self.outcomes = logs.outcomes
        self.read = 0
        self._events = logs.events

    def decisions(self, *, after: int, limit: int) -> Sequence[LoggedDecision]:
        found = self._events.decisions(after=after, limit=limit)
        self.read += len(found)
        return found


@pytest.mark.parametrize("count", [1, 3])
def test_each_event_is_read_once_for_all_of_them(count: int) -> None:
    _, logs, _ = make_small_log(100)
    read = find_outcome_range(logs, start_us=0, end_us=2**53)
    counting = Counting(logs)
    score_candidates(counting, create_engine, read, candidates(*(SQUARE, LINEAR, GREEDY)[:count]))  # type: ignore[arg-type]
    assert counting.read == 100


def test_a_learned_model_is_that_of_a_loop_that_learned_the_same() -> None:
    """The model that is kept can be gone on with: it predicts as one that learned the log's own lines."""
    from sartor.dsjson import context_json, single_slot

    _, logs, _ = make_small_log(80)
    (found,) = score_candidates(
        logs, create_engine, find_outcome_range(logs, start_us=0, end_us=2**53), candidates(SQUARE)
    ).scores
    assert found.model is not None
    kept, trained = create_engine(SQUARE, found.model), create_engine(SQUARE)
    for one in read_settled(logs, find_outcome_range(logs, start_us=0, end_us=2**53)):
        trained.learn(single_slot.encode_outcome_line(one.decision, one.outcome))
    last = logs.events.decisions(after=79, limit=1)[0].decision
    context = context_json.encode_decision_context(last, last.rankable)
    count = len(last.rankable)
    assert kept.probabilities(context, count) == trained.probabilities(context, count)


def test_in_apprentice_mode_the_baseline_was_shown_and_is_learned() -> None:
    decision = replace(make_decision(actions=3, chosen=2), mode="Apprentice")
    recording = RecordingEngine()
    candidates = [Candidate(name="p", arguments="", source="Custom", engine=recording)]
    validation = ProgressiveValidation(candidates, bounds=Bounds(), bin_us=1_000_000)
    validation.add(LoggedDecision(1, 1_000_000, decision), make_outcome(reward=1.0))
    (found,) = validation.finish()
    estimators = found.scores[""].estimators
    assert estimators.ips.weight == pytest.approx(1 / 3), "the first in one of three cases"
    assert estimators.diagnostics.uncovered == pytest.approx(2 / 3), "the others could not be shown"
    assert validation.summary.calibration.bins()[0].low == pytest.approx(0.3), (
        "the recorded choice was the model's"
    )


def test_a_policy_is_scored_as_it_would_have_been_served_with_floor_and_control_group() -> None:
    _, logs, _ = make_small_log(200)
    world = controlled(logs, MixtureRules(control_share=0.2, floor=0.1))
    online, baseline, random, recording = (ips(one) for one in scored(world, RecordingEngine()))
    assert recording == pytest.approx(0.2 * baseline + 0.8 * random)
    assert online != pytest.approx(recording)


def test_whoever_made_the_decisions_is_scored_as_online() -> None:
    _, logs, _ = make_small_log(200, uniform=True)
    world = controlled(logs, MixtureRules(control_share=0.2, floor=0.1))
    online, *_, recording = (ips(one) for one in scored(world, RecordingEngine()))
    assert recording == pytest.approx(online)


def test_a_control_group_that_is_the_same_users_for_good_is_calibrated() -> None:
    validation = ProgressiveValidation([], bounds=Bounds(0, 1), bin_us=1_000_000)
    rules = MixtureRules(control_share=0.2, control_feature="user.id")
    for number in range(2_000):
        decision = decide(
            RankInput(
                event_id=f"e{number}",
                context=b'[{"user":{"id":%d}}]' % (number % 4),
                actions=make_decision().actions,
            ),
            probabilities=[0.2, 0.5, 0.3],
            loop_id="loop-4",
            model_id="m",
            settings_version=1,
            rules=rules,
        )
        validation.add(LoggedDecision(number + 1, number, decision), make_outcome(number + 1))
    validation.finish()
    calibration = validation.summary.calibration
    assert calibration.worst_deviation() < 5
    assert {one.high for one in calibration.bins()} == {0.2, 0.3, 0.5, 1.0}  # two groups, each for certain


def ips(found: CandidateScore) -> float:
    value = found.scores[""].estimators.ips.value()
    assert value is not None
    return value


def controlled(logs: LoopStores, rules: MixtureRules) -> list[tuple[LoggedDecision, Outcome]]:
    """The log, decided again with a control group; the rewards are what the drawn actions happen to get."""
    outcomes = find_outcome_range(logs, start_us=0, end_us=2**53)
    found = []
    for settled in read_settled(logs, outcomes):
        before = settled.decision.decision
        decision = decide(
            rebuild_request(before),
            probabilities=before.probabilities,
            loop_id="loop",
            model_id=before.model_id,
            settings_version=1,
            rules=rules,
        )
        found.append((replace(settled.decision, decision=decision), settled.outcome))
    return found


def scored(pairs: Sequence[tuple[LoggedDecision, Outcome]], *engines: Engine) -> list[CandidateScore]:
    """Scores the three reference policies, and these engines, on these decisions."""
    candidates = [Candidate(name=name, arguments="", source=source) for name, source in REFERENCE]
    candidates += [Candidate(name="", arguments="", source="Custom", engine=one) for one in engines]
    validation = ProgressiveValidation(candidates, bounds=Bounds(0, 1), bin_us=1_000_000)
    for decision, outcome in pairs:
        validation.add(decision, outcome)
    return validation.finish()
