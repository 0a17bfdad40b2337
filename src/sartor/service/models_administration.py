"""What a loop's own callers do to its models, logs and evaluations; part of ``administration``."""

import threading

from sartor.evaluation import jobs
from sartor.evaluation.spec import EvaluationSpec, ImportanceSpec
from sartor.management import log_deletion, loops, models
from sartor.ports import Loop, Stores
from sartor.records import Job, ModelNote
from sartor.runtime import compose


class ModelAdministration:
    """Serves ``api.models_admin.ModelAdmin`` and ``api.evaluations_admin.EvaluationAdmin``.

    Whatever touches the catalog waits for the lock; what takes its time does not hold it.
    """

    _stores: Stores
    _lock: threading.Lock

    def _found(self, loop: Loop) -> Loop:
        """The loop as it is in the catalog now."""
        raise NotImplementedError

    def signed(self, model: bytes, /) -> bytes:
        """The zip of a model, signed by this instance."""
        return models.export_signed(self._stores, model)

    def import_model(self, loop: Loop, body: bytes, /) -> None:
        """Put a model from elsewhere in the place of the live one."""
        with self._lock:
            found = self._found(loop)
        blob = models.check_import(self._stores, found, body)
        with self._lock:
            models.begin_generation(self._stores, self._found(loop).name, blob)

    def reset_model(self, loop: Loop, /) -> None:
        """Forget the model."""
        with self._lock:
            models.reset_model(self._stores, self._found(loop).name)

    def publish_model(self, loop: Loop, model_id: str, /) -> None:
        """Make a model of the history the live one, and keep it."""
        with self._lock:
            loops.promote_model(self._stores, self._found(loop).name, model_id)

    def note_model(self, loop: Loop, note: ModelNote, /) -> None:
        """Replace what is said of a model."""
        with self._lock:
            models.note_model(self._stores, self._found(loop).name, note)

    def remove_model(self, loop: Loop, model_id: str, /) -> None:
        """Remove the bytes of a model of the history."""
        with self._lock:
            models.remove_model(self._stores, self._found(loop).name, model_id)

    def delete_logs(self, loop: Loop, /) -> None:
        """Remove the log, and keep the model."""
        with self._lock:
            found = log_deletion.keep_model(self._stores, self._found(loop).name)
        log_deletion.clear_log(self._stores, found)

    def evaluate(self, loop: Loop, evaluation_id: str, spec: EvaluationSpec, /) -> Job:
        """Ask for an evaluation."""
        with self._lock:
            return jobs.create_evaluation(self._stores, self._found(loop).name, evaluation_id, spec)

    def weigh_features(self, loop: Loop, importance_id: str, spec: ImportanceSpec, /) -> Job:
        """Ask for the importances of features."""
        with self._lock:
            return jobs.create_importance(self._stores, self._found(loop).name, importance_id, spec)

    def find_job(self, loop: Loop, kind: str, public_id: str, /) -> Job:
        """An evaluation or a feature importance."""
        with self._lock, loops.open_loop(self._stores, self._found(loop)) as opened:
            return jobs.find_job(opened, kind, public_id)

    def delete_job(self, loop: Loop, kind: str, public_id: str, /) -> None:
        """Remove an evaluation or a feature importance."""
        with self._lock, loops.open_loop(self._stores, self._found(loop)) as opened:
            jobs.delete_job(opened, kind, public_id)

    def apply_evaluation(self, loop: Loop, evaluation_id: str, policy_name: str, /) -> None:
        """Take the learning settings and the model of a policy in a finished evaluation."""
        with self._lock:
            name = self._found(loop).name
            jobs.apply_policy(self._stores, name, evaluation_id, policy_name, factory=compose.engine_factory())
