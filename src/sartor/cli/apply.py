"""``sartor apply``: let a loop go on with a policy that was evaluated."""

from typing import Annotated

import typer

from sartor.cli import printing
from sartor.cli.options import DEFAULTS, AsJson, Data, LoopName

Evaluation = Annotated[str, typer.Argument(help="The id of a finished evaluation.", metavar="EVALUATION")]
Policy = Annotated[str, typer.Argument(help="The name of a policy in it.", metavar="POLICY")]


def apply(
    name: LoopName, evaluation: Evaluation, policy: Policy, data: Data = DEFAULTS.data, as_json: AsJson = False
) -> None:
    """Replace the learning settings and the model of a loop by those of a policy that was evaluated.

    The model that the policy learned in the evaluation serves at once, and training goes on from it.
    """
    from sartor.evaluation import jobs
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        model = jobs.apply_policy(stores, name, evaluation, policy, factory=compose.engine_factory())
    printing.result(
        {"loop": name, "evaluation": evaluation, "policy": policy, "model": model.model_id},
        f"The loop {name!r} goes on with {policy!r}; model {model.model_id} serves.",
        as_json=as_json,
    )
