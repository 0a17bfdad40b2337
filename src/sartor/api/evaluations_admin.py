"""What the handlers of evaluations and feature importances need of the service; part of ``admin.Admin``."""

from typing import Protocol

from sartor.evaluation.spec import EvaluationSpec, ImportanceSpec
from sartor.ports import Loop
from sartor.records import Job


class EvaluationAdmin(Protocol):
    """Asks for computations about a loop. Each method raises LoopNotFound if the loop was deleted."""

    def evaluate(self, loop: Loop, evaluation_id: str, spec: EvaluationSpec, /) -> Job:
        """Ask for an evaluation.

        Raises:
            InvalidEvaluation: the range of time is empty, or a name is not acceptable; see its subclasses.
            InvalidPolicy: the arguments of a policy are not acceptable.
            JobExists: there is an evaluation with that id.
        """

    def weigh_features(self, loop: Loop, importance_id: str, spec: ImportanceSpec, /) -> Job:
        """Ask for the importances of features.

        Raises:
            InvalidEvaluation: the range of time is empty, or the name is not acceptable; see its subclasses.
            JobExists: there is a feature importance with that id.
        """

    def find_job(self, loop: Loop, kind: str, public_id: str, /) -> Job:
        """The evaluation or feature importance with this id.

        Raises:
            JobNotFound: there is none.
        """

    def delete_job(self, loop: Loop, kind: str, public_id: str, /) -> None:
        """Remove an evaluation or a feature importance; one that runs is stopped.

        Raises:
            JobNotFound: there is none.
        """

    def apply_evaluation(self, loop: Loop, evaluation_id: str, policy_name: str, /) -> None:
        """Replace the learning settings and the model by those of a policy in a finished evaluation.

        Raises:
            JobNotFound: there is no such evaluation.
            JobNotFinished: it is not finished, or failed.
            PolicyNotFound: there is no policy of that name in it.
            ModelNotFound: the evaluation keeps no model of that policy.
            InvalidPolicy: the arguments of the policy are not accepted any more.
        """
