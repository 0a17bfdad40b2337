"""Jobs of a loop that evaluate policies or measure features: create, find, delete; apply an evaluated policy.

Ids are unique among jobs of a kind. The work process takes jobs from the queue and computes them
(``sartor.jobs``).
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from sartor.errors import (
    Corrupt,
    DuplicateNames,
    InvalidEvaluation,
    InvalidModel,
    InvalidPolicy,
    JobNotFinished,
    JobNotFound,
    ModelNotFound,
    NoLogsInRange,
    PolicyNotFound,
    QueueFull,
    TooManyPolicies,
)
from sartor.evaluation.spec import (
    EVALUATION,
    FEATURE_IMPORTANCE,
    EvaluationResult,
    EvaluationSpec,
    ImportanceSpec,
    PolicyResult,
    PolicySpec,
    decode_job,
    encode_job,
    job_id,
    model_prefix,
)
from sartor.learn import policy
from sartor.learn.engines import fills_several_slots
from sartor.log_search import first_decision_since
from sartor.loops import with_arguments
from sartor.management import loops, models
from sartor.management.model_sandbox import convert_dump
from sartor.ports import Loop, LoopStores, Stores
from sartor.records import Job, Model
from sartor.settings import WAITING_JOBS
from sartor.times import now_us

MAX_POLICIES = 10
_MAX_NAME_LENGTH = 256
_RESERVED = frozenset({"online", "baseline", "baseline1", "random", "baselinerand"})


def create_evaluation(
    stores: Stores,
    name: str,
    evaluation_id: str,
    spec: EvaluationSpec,
    /,
    *,
    most_waiting: int = WAITING_JOBS,
) -> Job:
    """Creates an evaluation job, once its policies and its range of time are checked.

    Args:
        stores: the instance's stores.
        name: the loop.
        evaluation_id: the id of the evaluation.
        spec: what to evaluate.
        most_waiting: how many jobs of the loop may wait.

    Raises:
        LoopNotFound: there is no such loop.
        InvalidEvaluation: the range of time is empty, or a name is not acceptable; see its subclasses.
        InvalidPolicy: the arguments of a policy are not acceptable.
        JobExists: there is an evaluation with that id.
        QueueFull: so many jobs of the loop are waiting.
    """
    loop = loops.find_loop(stores, name)
    with loops.open_loop(stores, loop) as logs:
        return add_evaluation(logs, loop, evaluation_id, spec, most_waiting=most_waiting)


def add_evaluation(
    logs: LoopStores, loop: Loop, evaluation_id: str, spec: EvaluationSpec, /, *, most_waiting: int
) -> Job:
    """Does what ``create_evaluation`` does, in the open stores of a loop; it needs nothing of other loops."""
    full_id = job_id(EVALUATION, evaluation_id)
    _refuse_early(logs, full_id, most_waiting)  # before policies are tried, which takes milliseconds
    _check_policies(spec)
    checked = _with_checked_arguments(spec, loop)
    return _add_job(logs, full_id, EVALUATION, checked, most_waiting=most_waiting)


def add_importance(logs: LoopStores, importance_id: str, spec: ImportanceSpec, /, *, most_waiting: int) -> Job:
    """Creates a job that measures the importance of features, in the open stores of a loop.

    Raises:
        InvalidEvaluation: the range of time is empty, or the name is not acceptable; see its subclasses.
        JobExists: there is a feature importance with that id.
        QueueFull: so many jobs of the loop are waiting.
    """
    full_id = job_id(FEATURE_IMPORTANCE, importance_id)
    _refuse_early(logs, full_id, most_waiting)
    return _add_job(logs, full_id, FEATURE_IMPORTANCE, spec, most_waiting=most_waiting)


def find_job(logs: LoopStores, kind: str, public_id: str, /) -> Job:
    """Finds the job of a kind with this id.

    Raises:
        JobNotFound: there is none.
    """
    job = logs.jobs.find(job_id(kind, public_id))
    if job is None:
        raise JobNotFound(f"There is no {kind} with the id {public_id!r}.")
    return job


def delete_job(logs: LoopStores, kind: str, public_id: str, /) -> None:
    """Deletes an evaluation or a feature importance with its models; one that runs is stopped.

    Raises:
        JobNotFound: there is none.
    """
    wanted = job_id(kind, public_id)
    logs.jobs.delete(wanted)
    prefix = model_prefix(wanted)
    for content in logs.blobs.names():
        if content.startswith(prefix):
            logs.blobs.delete(content)


class PreparedPolicy(Struct, frozen=True, kw_only=True):
    """A policy of a finished evaluation with its model, ready to be applied.

    Attributes:
        name: its name.
        arguments: its learning settings, with the exploration that was evaluated.
        blob: the dump of its model under these settings.
    """

    name: str
    arguments: str
    blob: bytes


def apply_policy(stores: Stores, name: str, evaluation_id: str, policy_name: str, /) -> Model:
    """Replaces the learning settings and the model of a loop by those of a policy in a finished evaluation.

    The policy's model serves at once, and training goes on from it. It explores as it did in the evaluation:
    the number after ``--epsilon`` becomes the loop's exploration percentage.

    Raises:
        LoopNotFound: there is no such loop.
        CallerError: see ``prepare_policy`` and ``apply_prepared``.
    """
    loop = loops.find_loop(stores, name)
    return apply_prepared(stores, name, prepare_policy(stores, loop, evaluation_id, policy_name))


def prepare_policy(stores: Stores, loop: Loop, evaluation_id: str, policy_name: str, /) -> PreparedPolicy:
    """Does the part of ``apply_policy`` that changes nothing: tries the model in a process of its own.

    Raises:
        JobNotFound: there is no such evaluation.
        JobNotFinished: it is not finished, or failed.
        PolicyNotFound: there is no policy of that name in it.
        ModelNotFound: the evaluation keeps no model of that policy.
        InvalidPolicy: the arguments of the policy are not accepted any more.
    """
    with loops.open_loop(stores, loop) as logs:
        evaluated = _find_policy_result(find_job(logs, EVALUATION, evaluation_id), policy_name)
        dump = None if evaluated.model is None else logs.blobs.get(evaluated.model)
    if dump is None:
        raise ModelNotFound(f"The evaluation {evaluation_id!r} keeps no model of the policy {policy_name!r}.")
    checked = policy.check_policy(evaluated.arguments)
    _check_slots(checked, loop)
    arguments = with_arguments(loop, checked).effective_arguments
    return PreparedPolicy(name=policy_name, arguments=arguments, blob=_dump_under(arguments, dump))


def apply_prepared(stores: Stores, name: str, prepared: PreparedPolicy, /) -> Model:
    """Does the part of ``apply_policy`` that changes the loop.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: it is locked against changes.
        InvalidPolicy: the loop got several slots since the policy was prepared.
    """
    loop = loops.find_loop(stores, name)
    _check_slots(prepared.arguments, loop)
    return models.begin_generation(
        stores,
        name,
        prepared.blob,
        arguments=prepared.arguments,
        settings=with_arguments(loop, prepared.arguments).settings,
        policy_name=prepared.name,
    )


def _find_policy_result(job: Job, name: str) -> PolicyResult:
    if job.state != "succeeded":
        reason = f": {job.description}" if job.description else "."
        raise JobNotFinished(f"The evaluation is {job.state}, so nothing can be applied{reason}")
    for result in decode_job(job.result, EvaluationResult).policies:
        if result.name == name and not result.slot:
            return result
    raise PolicyNotFound(f"There is no policy {name!r} in the evaluation.")


def _dump_under(arguments: str, blob: bytes) -> bytes:
    """Dumps a model in a process of its own, under the spelling that the loop gives to its arguments."""
    try:
        return convert_dump(blob, arguments)
    except (Corrupt, InvalidModel) as error:
        raise ModelNotFound(f"The model of the policy can't be used. {error.message}") from error


def _check_policies(spec: EvaluationSpec) -> None:
    if len(spec.policies) > MAX_POLICIES:
        raise TooManyPolicies(
            f"An evaluation compares {MAX_POLICIES} policies at most, not {len(spec.policies)}."
        )
    taken: set[str] = set()
    for name in (policy_spec.name for policy_spec in spec.policies):
        _check_name(name)
        folded = name.casefold()
        if folded in taken:
            raise DuplicateNames(f"Two policies are called {name!r}; case does not distinguish names.")
        if folded in _RESERVED:
            raise DuplicateNames(f"The name {name!r} is that of a policy that is always shown; choose another.")
        taken.add(folded)


def _with_checked_arguments(spec: EvaluationSpec, loop: Loop) -> EvaluationSpec:
    return replace(
        spec, policies=tuple(replace(one, arguments=_check_arguments(one, loop)) for one in spec.policies)
    )


def _check_arguments(one: PolicySpec, loop: Loop) -> str:
    try:
        arguments = policy.check_policy(one.arguments)
        _check_slots(arguments, loop)
    except InvalidPolicy as error:
        raise InvalidPolicy(f"The policy {one.name!r}: {error.message}") from error
    return arguments


def _check_slots(arguments: str, loop: Loop) -> None:
    if fills_several_slots(arguments) is not loop.has_several_slots:
        raise InvalidPolicy("It is for another number of slots than the loop: --cb_explore_adf is for one.")


def _refuse_early(logs: LoopStores, full_id: str, most_waiting: int) -> None:
    if logs.jobs.count_waiting() >= most_waiting and logs.jobs.find(full_id) is None:
        raise _queue_full(most_waiting)


def _queue_full(most_waiting: int) -> QueueFull:
    return QueueFull(
        f"{most_waiting} evaluations and feature importances of this loop are waiting, as many as may: "
        "wait until some are finished, or delete some."
    )


def _add_job(
    logs: LoopStores, full_id: str, kind: str, spec: EvaluationSpec | ImportanceSpec, *, most_waiting: int
) -> Job:
    _check_name(spec.name)
    if spec.start_us >= spec.end_us:
        raise InvalidEvaluation("The start must be before the end.")
    _check_range(logs, spec)
    job = Job(job_id=full_id, kind=kind, spec=encode_job(spec), created_at_us=now_us())
    try:
        logs.jobs.put(job, most_waiting=most_waiting)
    except QueueFull as error:
        raise _queue_full(most_waiting) from error
    return job


def count_ahead(found: Sequence[Job], /) -> Mapping[str, int]:
    """Counts for each job that waits, by its id in the queue, how many of its loop come before it.

    Args:
        found: all jobs of the loop, oldest first. Jobs of other loops have their turns between these.
    """
    unfinished = [job for job in found if job.state in ("pending", "running")]
    return {job.job_id: place for place, job in enumerate(unfinished) if job.state == "pending"}


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= _MAX_NAME_LENGTH:
        raise InvalidEvaluation(f"A name must have 1 to {_MAX_NAME_LENGTH} characters.")


def _check_range(logs: LoopStores, spec: EvaluationSpec | ImportanceSpec) -> None:
    first = first_decision_since(logs.events, spec.start_us)
    heads = logs.events.heads(after=first - 1, limit=1)
    if not heads or heads[0].at_us >= spec.end_us:
        raise NoLogsInRange
