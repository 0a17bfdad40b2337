"""Jobs of evaluations: created, found, deleted; policies applied."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from sartor.errors import (
    DuplicateNames,
    InvalidEvaluation,
    InvalidPolicy,
    JobExists,
    JobNotFinished,
    JobNotFound,
    LoopLocked,
    LoopNotFound,
    ModelNotFound,
    NoLogsInRange,
    PolicyNotFound,
    TooManyPolicies,
)
from sartor.evaluation import jobs
from sartor.evaluation.spec import (
    EVALUATION,
    FEATURE_IMPORTANCE,
    EvaluationResult,
    EvaluationSpec,
    EvaluationWindow,
    ImportanceSpec,
    PolicyResult,
    PolicySpec,
    decode_job,
    encode_job,
    job_id,
    model_name,
)
from sartor.management import loops
from sartor.records import Job, Model
from tests.unit.learn.forged_models import forge
from tests.unit.world import FACTORY, World

BETTER = "--cb_explore_adf --epsilon 0.1 --cb_type mtr -q ::"
EMPTY = EvaluationWindow(
    start_us=0,
    events=1,
    numerator=1.0,
    sum_of_weights=1.0,
    non_zero=1,
    sum_of_squares=1.0,
    largest=1.0,
    expected_reward=1.0,
    low=0.0,
    high=1.0,
)


@pytest.fixture
def world() -> World:
    return World()


def spec(*policies: PolicySpec, **changes: object) -> EvaluationSpec:
    given = EvaluationSpec(name="spring", start_us=0, end_us=2**52, policies=policies)
    return replace(given, **changes)


def policies_named(*names: str) -> list[PolicySpec]:
    return [PolicySpec(name=name, arguments=BETTER) for name in names]


def create(world: World, given: EvaluationSpec, *, name: str = "one") -> Job:
    return jobs.create_evaluation(world.stores, "default", name, given)


def test_an_evaluation_becomes_a_job(world: World) -> None:
    given = spec(PolicySpec(name="mine", arguments=BETTER + " --dsjson"))
    job = create(world, given, name="any/id at all")
    assert list(world.logs.jobs.jobs(kind=EVALUATION)) == [job]
    assert jobs.find_job(world.logs, EVALUATION, "any/id at all") == job
    assert decode_job(job.spec, EvaluationSpec) == spec(PolicySpec(name="mine", arguments=BETTER))
    assert job.state == "pending"
    assert job.created_at_us > 1_700_000_000_000_000


def test_an_evaluation_and_an_importance_may_have_the_same_id(world: World) -> None:
    create(world, spec())
    given = ImportanceSpec(name="spring", start_us=0, end_us=2**52)
    job = jobs.add_importance(world.logs, "one", given, most_waiting=20)
    assert jobs.find_job(world.logs, FEATURE_IMPORTANCE, "one") == job
    with pytest.raises(JobExists):
        create(world, spec())
    with pytest.raises(JobExists):
        jobs.add_importance(world.logs, "one", given, most_waiting=20)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (spec(*policies_named(*(f"p{number}" for number in range(11)))), TooManyPolicies),
        (spec(*policies_named("same", "other", "same")), DuplicateNames),
        (spec(*policies_named("same", "Same")), DuplicateNames),
        (spec(*policies_named("Online")), DuplicateNames),
        (spec(*policies_named("Baseline1")), DuplicateNames),
        (spec(*policies_named("")), InvalidEvaluation),
        (spec(name=""), InvalidEvaluation),
        (spec(name="x" * 257), InvalidEvaluation),
        (spec(start_us=2**52), InvalidEvaluation),
        (spec(end_us=0), InvalidEvaluation),
        (spec(end_us=1_000), NoLogsInRange),
        (spec(start_us=2**51, end_us=2**52), NoLogsInRange),
        (spec(PolicySpec(name="mine", arguments="--cb_explore_adf -f model")), InvalidPolicy),
        (spec(PolicySpec(name="mine", arguments=BETTER.replace("--cb_", "--ccb_", 1))), InvalidPolicy),
    ],
)
def test_what_can_not_be_evaluated_is_refused(
    world: World, given: EvaluationSpec, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        create(world, given)
    assert type(caught.value) is error
    assert list(world.logs.jobs.jobs()) == []


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("Müller", "MÜLLER"), "Two policies are called 'MÜLLER'; case does not distinguish names."),
        (("OnLine",), "The name 'OnLine' is that of a policy that is always shown; choose another."),
    ],
)
def test_messages_show_names_as_they_were_written(world: World, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(DuplicateNames) as caught:
        create(world, spec(*policies_named(*names)))
    assert caught.value.message == message


def test_ten_policies_are_compared(world: World) -> None:
    job = create(world, spec(*policies_named(*(f"p{number}" for number in range(10)))))
    assert len(decode_job(job.spec, EvaluationSpec).policies) == 10


def test_the_end_of_the_range_does_not_belong_to_it(world: World) -> None:
    first = world.logs.events.heads(after=0, limit=1)[0].at_us
    with pytest.raises(NoLogsInRange):
        create(world, spec(end_us=first))
    create(world, spec(start_us=first, end_us=first + 1))


def test_a_deleted_evaluation_takes_its_models_along(world: World) -> None:
    create(world, spec())
    create(world, spec(), name="two")
    for evaluation in ("one", "two"):
        world.logs.blobs.put(model_name(job_id(EVALUATION, evaluation), 3), b"model")
    jobs.delete_job(world.logs, EVALUATION, "one")
    assert list(world.logs.blobs.names()) == [model_name(job_id(EVALUATION, "two"), 3)]
    for missing in (jobs.delete_job, jobs.find_job):
        with pytest.raises(JobNotFound):
            missing(world.logs, EVALUATION, "one")


def finish(world: World, *policies: PolicyResult) -> None:
    job = create(world, spec())
    result = EvaluationResult(policies=policies)
    done = replace(job, state="succeeded", description="", result=encode_job(result))
    assert world.logs.jobs.update(done)


def policy_result(name: str = "better", *, arguments: str = BETTER, model: str | None = None) -> PolicyResult:
    return PolicyResult(name=name, arguments=arguments, source="Custom", total=EMPTY, model=model)


def keep_model(world: World, arguments: str = BETTER) -> str:
    """A model on the blob store that learned what the loop did."""
    engine = FACTORY(arguments)
    name = model_name(job_id(EVALUATION, "one"), 0)
    world.logs.blobs.put(name, engine.dump())
    engine.close()
    return name


def apply(world: World, policy: str = "better", *, evaluation: str = "one") -> Model:
    return jobs.apply_policy(world.stores, "default", evaluation, policy)


def test_a_policy_is_applied_with_its_model_and_its_exploration(world: World) -> None:
    loops.change_settings(world.stores, "default", {"explorationPercentage": 0.3})
    finish(world, policy_result("other"), policy_result(model=keep_model(world)))
    applied = apply(world)
    assert world.live == applied
    assert (world.loop.policy_name, world.loop.arguments) == ("better", BETTER)
    assert (applied.arguments, world.loop.effective_arguments) == (BETTER, BETTER)
    assert world.loop.settings.exploration_percentage == 0.1
    after = world.train(4)
    assert (after.base_id, after.learned) == (applied.model_id, 4)
    assert world.probabilities(after) == world.replay_probabilities(after)


def test_a_model_of_the_shelf_that_names_files_is_not_applied(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = keep_model(world)
    dump = world.logs.blobs.get(name)
    assert dump is not None
    world.logs.blobs.put(name, forge(dump, f"--predictions {tmp_path / 'written'}"))
    finish(world, policy_result(model=name))
    before = world.live
    with pytest.raises(ModelNotFound, match="can't be used"):
        apply(world)
    assert world.live == before
    assert not list(tmp_path.iterdir())


def test_settings_that_changed_while_a_policy_was_prepared_stay_and_its_exploration_comes_last(
    world: World,
) -> None:
    finish(world, policy_result(model=keep_model(world)))
    prepared = jobs.prepare_policy(world.stores, world.loop, "one", "better")
    loops.change_settings(world.stores, "default", {"explorationPercentage": 0.7, "defaultReward": -0.5})
    assert jobs.apply_prepared(world.stores, "default", prepared).arguments == BETTER
    settings = world.loop.settings
    assert (settings.exploration_percentage, settings.default_reward) == (0.1, -0.5)


def test_exploration_that_is_set_after_a_policy_was_applied_serves(world: World) -> None:
    finish(world, policy_result(model=keep_model(world)))
    apply(world)
    loops.change_settings(world.stores, "default", {"explorationPercentage": 0.7})
    assert world.loop.effective_arguments == BETTER.replace("0.1", "0.7")
    assert world.train(1).arguments == world.loop.effective_arguments


def test_a_policy_without_epsilon_is_applied_and_the_exploration_percentage_stays(world: World) -> None:
    loops.change_settings(world.stores, "default", {"explorationPercentage": 0.3})
    arguments = "--cb_explore_adf --squarecb --cb_type mtr"
    finish(world, policy_result(arguments=arguments, model=keep_model(world, arguments)))
    assert apply(world).arguments == arguments
    assert world.loop.settings.exploration_percentage == 0.3


def test_a_loop_that_got_several_slots_meanwhile_takes_no_policy_for_one(world: World) -> None:
    finish(world, policy_result(model=keep_model(world)))
    prepared = jobs.prepare_policy(world.stores, world.loop, "one", "better")
    loops.set_policy(world.stores, "default", BETTER.replace("--cb_", "--ccb_", 1))
    with pytest.raises(InvalidPolicy, match="another number of slots"):
        jobs.apply_prepared(world.stores, "default", prepared)


def test_an_evaluation_that_is_not_there_can_not_be_applied(world: World) -> None:
    with pytest.raises(JobNotFound):
        apply(world)
    with pytest.raises(LoopNotFound):
        jobs.apply_policy(world.stores, "another", "one", "better")


def test_an_evaluation_that_is_not_finished_can_not_be_applied(world: World) -> None:
    create(world, spec())
    with pytest.raises(JobNotFinished, match="is pending, so nothing can be applied"):
        apply(world)


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (policy_result("another"), PolicyNotFound),
        (replace(policy_result(), slot="top"), PolicyNotFound),
        (policy_result(), ModelNotFound),
        (policy_result(model="never-put"), ModelNotFound),
        (policy_result(model="damaged"), ModelNotFound),
        (policy_result(model="any", arguments="--cb_explore_adf -f x"), InvalidPolicy),
        (policy_result(model="any", arguments=BETTER.replace("--cb_", "--ccb_", 1)), InvalidPolicy),
    ],
)
def test_what_can_not_be_applied_changes_nothing(
    world: World, result: PolicyResult, error: type[Exception]
) -> None:
    for name in ("damaged", "any"):
        world.logs.blobs.put(name, b"no model")
    finish(world, result)
    before = (world.loop, world.live)
    with pytest.raises(error):
        apply(world)
    assert (world.loop, world.live) == before


def test_a_locked_loop_keeps_its_policy(world: World) -> None:
    finish(world, policy_result(model=keep_model(world)))
    world.stores.catalog.update(replace(world.loop, terms=replace(world.loop.terms, lock="change")))
    before = (world.loop, world.live)
    with pytest.raises(LoopLocked):
        apply(world)
    assert (world.loop, world.live) == before
