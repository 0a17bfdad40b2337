"""Builders of valid records for tests; each part can be replaced."""

from sartor.ports import Loop
from sartor.records import NO_MODEL, Action, Decision, Job, Model, Outcome
from sartor.settings import VW_ARGUMENTS, LoopSettings


def make_loop(
    name: str = "default",
    /,
    *,
    loop_id: str = "",
    settings: LoopSettings | None = None,
    arguments: str = VW_ARGUMENTS,
) -> Loop:
    """Builds a loop with keys made from its id, which is made from its name."""
    loop_id = loop_id or f"id-of-{name}"
    return Loop(
        name=name,
        loop_id=loop_id,
        key1=f"key-1-of-{loop_id}",
        key2=f"key-2-of-{loop_id}",
        policy_name="default",
        arguments=arguments,
        settings=settings or LoopSettings(),
    )


def make_decision(
    event_id: str = "event",
    /,
    *,
    actions: int = 3,
    chosen: int = 0,
    context: bytes = b'[{"device":"mobile"}]',
    deferred: bool = False,
    model_id: str = NO_MODEL,
) -> Decision:
    """Builds a uniform decision among ``actions`` actions ``action-0`` …, each with a topic and a length."""
    order = list(range(actions))
    order[0], order[chosen] = order[chosen], order[0]
    return Decision(
        event_id=event_id,
        context=context,
        actions=tuple(make_action(number) for number in range(actions)),
        excluded=(),
        probabilities=(1 / actions,) * actions,
        ranking=tuple(order),
        chosen=chosen,
        model_id=model_id,
        settings_version=1,
        deferred=deferred,
    )


def make_action(number: int = 0, /) -> Action:
    """Builds an action with two features."""
    return Action(f"action-{number}", b'[{"topic":"topic-%d","length":%d}]' % (number % 5, number * 10))


def make_outcome(decision_seq: int = 1, event_id: str = "", /, *, reward: float = 1.0) -> Outcome:
    """Builds a learnable outcome without observations; the event id is made from the number."""
    return Outcome(
        decision_seq=decision_seq,
        event_id=event_id or f"event-{decision_seq}",
        reward=reward,
        learnable=True,
        joined=(),
        settled_at_us=1_700_000_000_000_000,
        settings_version=1,
    )


def make_model(model_id: str = "model", /, *, last_outcome: int = 0, parent_id: str | None = None) -> Model:
    """Builds a model that learned the outcomes 1 to ``last_outcome``."""
    return Model(
        model_id=model_id,
        parent_id=parent_id,
        arguments=VW_ARGUMENTS,
        settings_version=1,
        first_outcome=1,
        last_outcome=last_outcome,
        learned=last_outcome,
        created_at_us=1_700_000_000_000_000,
    )


def make_job(job_id: str = "job", /, *, kind: str = "evaluation") -> Job:
    """Builds a pending job with an empty specification."""
    return Job(job_id=job_id, kind=kind, spec=b"{}", created_at_us=1_700_000_000_000_000)
