"""The engine on Vowpal Wabbit: none of its objects, exceptions and terms leave this file.

It calls the binding below the package's own Python class, in a third of the time. Each of the following failed
in tests when done otherwise (``docs/design/engine.md``):

* A malformed line is no error to the parser: it returns one empty example, so examples are counted. Predicting
  on it, or finishing it unpredicted, crashes the process; not finishing it leaks 30 kB. Finished behind the
  examples of a valid request it does no harm.
* ``--preserve_performance_counters`` and ``--per_model_save_load`` make a saved model complete; a saved model
  holds the state of the random numbers in place of the seed, so a seed is not given again.
* The reader of models silently accepts a cut or changed file, so the dump has a checksum.
* The options in a model file take effect when it is loaded, those that name files to write too; a checksum is
  no secret. So every header is checked, in every process, before the engine reads it.
"""

import math
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pylibvw

from sartor.errors import Corrupt, EngineRefused, InvalidModel, InvalidPolicy, StoreUnavailable
from sartor.learn.arguments import PolicyArguments, parse_arguments
from sartor.learn.model_file import add_checksum, read_header, strip_checksum

_OURS = ["--quiet", "--dsjson", "--preserve_performance_counters", "--per_model_save_load", "--ring_size", "64"]

_COST_LIMIT = 1e9
_LEAST_PROBABILITY = 1e-9
_CROSSED_FEATURES = 10_000_000
_LABEL = re.compile(rb'\{"_label_cost":([^,]+),"_label_probability":([^,]+),')
_SLOT_LABEL = re.compile(
    rb'(?P<a>\{"_label_cost":)(?P<cost>[^,]+)(?P<b>,"_id":"(?:[^"\\]|\\.)*","_a":\[[^\]]+\],"_p":\[)(?P<p>[^,\]]+)'
)
_ENSEMBLES = ("bag", "cover", "rnd")

_VALID = b'{"a":[1,2],"c":{"FromUrl":[],"_multi":[{"j":[{"x":1}]},{"j":[{"y":1}]}]}}'
_VALID_SLOTS = _VALID[:-2] + b',"_slots":[{"_tag":"seed=0"},{"_tag":"seed=0"}]}}'

_parse = pylibvw.vw._parse
_predict = pylibvw.vw.predict_multi
_learn = pylibvw.vw.learn_multi
_finish = pylibvw.vw._finish_example_multi_ex


class VowpalWabbit:
    """An engine that ranks and learns with Vowpal Wabbit; see ``create_engine``."""

    __slots__ = ("_arguments", "_bounded", "_has_slots", "_workspace")

    def __init__(self, arguments: PolicyArguments, blob: bytes | None = None) -> None:
        self._arguments = arguments
        self._bounded = arguments.order > 2 or bool(arguments.values("ngram"))
        self._has_slots = arguments.several_slots
        self._workspace = (
            _create_workspace(arguments) if blob is None else _load_workspace(arguments, strip_checksum(blob))
        )
        if self._has_slots:
            self._show_slots()

    def probabilities(self, context: bytes, actions: int, /) -> list[float]:
        """See ``engines.Engine``. A request of 10 actions with 3 features each takes about 15 µs."""
        if self._has_slots:
            raise EngineRefused("The learning settings fill several slots, and this is a request without any.")
        examples = self._read(_prefix(actions) + context + b"}", actions + 1)
        try:
            _predict(self._workspace, examples)
            scores = examples[0].get_action_scores()
        except RuntimeError as error:
            raise self._make_refusal(str(error), examples) from error
        _finish(self._workspace, examples)
        return _normalise(scores, actions)

    def slot_probabilities(
        self, query: bytes, actions: int, /, *, slots: int, offered: Sequence[int]
    ) -> list[float]:
        """See ``engines.Engine``. The first slot costs about as much as a request without slots."""
        examples = self._read_slots(query, actions, slots)
        try:
            _predict(self._workspace, examples)
            scores = dict(examples[0].get_decision_scores()[-1])
        except RuntimeError as error:
            raise self._make_refusal(str(error), examples) from error
        _finish(self._workspace, examples)
        return _normalise([scores.get(index, math.nan) for index in offered], len(scores))

    def estimates(self, query: bytes, actions: int, /, *, slots: int = 0) -> list[float] | None:
        """See ``engines.Engine``. With ``--bag``, ``--cover`` and ``--rnd`` each model has its own."""
        if any(self._arguments.values(name) for name in _ENSEMBLES):
            return None
        if self._has_slots:
            examples = self._read_slots(query, actions, slots)
        else:
            examples = self._read(_prefix(actions) + query + b"}", actions + 1)
        try:
            _predict(self._workspace, examples)
            costs = [example.get_partial_prediction() for example in examples[1 : actions + 1]]
        except RuntimeError as error:
            raise self._make_refusal(str(error), examples) from error
        _finish(self._workspace, examples)
        return [-cost + 0.0 for cost in costs]

    def learn(self, line: bytes, /) -> None:
        """See ``engines.Engine``. Costs are kept within ±1e9, beyond which 32-bit weights become infinite."""
        examples = self._read(_bound_slot_labels(line) if self._has_slots else _bound_label(line))
        try:
            _learn(self._workspace, examples)
        except RuntimeError as error:
            raise self._make_refusal(str(error), examples) from error
        _finish(self._workspace, examples)

    def predict_then_learn(self, line: bytes, actions: int, /) -> list[float]:
        """Return what ``probabilities`` does, bit for bit, and then ``learn``, from one parse of the line.

        The engine computes its probabilities before it learns a line, and keeps them: this saves two fifths of
        the time. For single slots only.

        Args:
            line: a learnable line from ``dsjson.single_slot.encode_outcome_line``.
            actions: how many rankable actions it holds.

        Returns:
            The probabilities; empty if they were no distribution. The line is learned nevertheless.

        Raises:
            EngineRefused: the engine can't read or learn it; the engine stays usable and unchanged.
        """
        if self._has_slots:
            raise EngineRefused("The learning settings fill several slots, and this is a line without any.")
        examples = self._read(_bound_label(line), actions + 1)
        try:
            _learn(self._workspace, examples)
            scores = examples[0].get_action_scores()
        except RuntimeError as error:
            raise self._make_refusal(str(error), examples) from error
        _finish(self._workspace, examples)
        try:
            return _normalise(scores, actions)
        except EngineRefused:
            return []

    def dump(self) -> bytes:
        """See ``engines.Engine``. About 2 ms for 18 bits of weights.

        Raises:
            StoreUnavailable: there is no room in the temporary folder.
        """
        return add_checksum(_save_workspace(self._workspace))

    def close(self) -> None:
        """See ``engines.Engine``."""
        self._workspace.finish()

    def _show_slots(self) -> None:
        # From the first request with several slots on, the number of a slot is a feature of it. Make it one
        # from the start, or a query about a second slot would change the answers about a first.
        examples = _parse(self._workspace, _VALID_SLOTS)
        _predict(self._workspace, examples)
        _finish(self._workspace, examples)

    def _read_slots(self, query: bytes, actions: int, slots: int) -> list[pylibvw.example]:
        if not self._has_slots:
            raise EngineRefused("The learning settings fill no slots, and this is a request with several.")
        return self._read(_prefix(actions) + query + b"}", 1 + actions + slots)

    def _read(self, line: bytes, count: int = 0) -> list[pylibvw.example]:
        examples: list[pylibvw.example] = _parse(self._workspace, line)
        if len(examples) < 2 or (count and len(examples) != count):
            raise self._make_refusal("it does not read as a context with these actions", examples)
        if self._bounded:
            self._check_crossings(examples)
        return examples

    def _check_crossings(self, examples: list[pylibvw.example]) -> None:
        shared, *actions = (example.get_feature_number() for example in examples)
        order = self._arguments.order
        crossed = sum(math.comb(shared + own, order) for own in actions)
        if crossed > _CROSSED_FEATURES:
            raise self._make_refusal(
                f"its features cross to {crossed}, more than {_CROSSED_FEATURES}", examples
            )

    def _make_refusal(self, reason: str, examples: list[pylibvw.example]) -> EngineRefused:
        """Finish the examples; returns the error to raise."""
        valid = _parse(self._workspace, _VALID_SLOTS if self._has_slots else _VALID)
        _predict(self._workspace, valid)
        _finish(self._workspace, valid + examples)
        return EngineRefused(f"The learning settings can't take this: {reason}.")


def create_engine(arguments: str, blob: bytes | None = None, /) -> VowpalWabbit:
    """Create an engine, empty or with the state of a dump made under the same arguments (an ``EngineFactory``).

    Raises:
        InvalidPolicy: the arguments are not accepted.
        Corrupt: the blob is not a model, or one of other arguments.
    """
    parsed = parse_arguments(arguments)
    if parsed.prepares:
        raise InvalidPolicy("The option --prepare belongs to another engine; see learn.engines.create_engine.")
    return VowpalWabbit(parsed, blob)


@cache
def _prefix(actions: int) -> bytes:
    """The start of a line without a label; the parser recognises the kind of line by the action numbers."""
    return b'{"a":[%b],"c":' % b",".join(b"%d" % number for number in range(1, actions + 1))


def _normalise(scores: list[float], actions: int) -> list[float]:
    total = math.fsum(scores)
    if len(scores) != actions or not math.isfinite(total) or total <= 0 or min(scores) < 0:
        raise EngineRefused(f"The engine's answer is no distribution over {actions} actions.")
    return [score / total for score in scores]


def _bound_label(line: bytes) -> bytes:
    label = _LABEL.match(line)
    if label is None:
        raise EngineRefused("The line does not begin with a label.")
    bounds = _find_bounds(label[1], label[2])
    if bounds is None:
        return line
    return b'{"_label_cost":%b,"_label_probability":%b,' % bounds + line[label.end() :]


def _bound_slot_labels(line: bytes) -> bytes:
    """The same for a line of several slots. No name within features can look like a label."""
    if not line.startswith(b'{"Timestamp":') or not _SLOT_LABEL.search(line):
        raise EngineRefused("The line is not one of several slots, or has no labels.")
    return _SLOT_LABEL.sub(_bound_slot_label, line)


def _bound_slot_label(found: re.Match[bytes]) -> bytes:
    bounds = _find_bounds(found["cost"], found["p"])
    return found[0] if bounds is None else found["a"] + bounds[0] + found["b"] + bounds[1]


def _find_bounds(cost_: bytes, probability_: bytes) -> tuple[bytes, bytes] | None:
    """Cost and probability within the limits; None: they are already."""
    try:
        cost, probability = float(cost_), float(probability_)
    except ValueError as error:
        raise EngineRefused("The label is not made of numbers.") from error
    if not math.isfinite(cost) or not 0 < probability <= 1.001:
        raise EngineRefused("The label is outside of what can be learned.")
    if abs(cost) <= _COST_LIMIT and probability >= _LEAST_PROBABILITY:
        return None
    return b"%r" % max(-_COST_LIMIT, min(cost, _COST_LIMIT)), b"%r" % max(probability, _LEAST_PROBABILITY)


def _create_workspace(arguments: PolicyArguments) -> pylibvw.vw:
    try:
        return pylibvw.vw([*arguments.tokens(), *_OURS])
    except RuntimeError as error:
        raise InvalidPolicy(f"The learning settings are not accepted: {error}.") from error


def _load_workspace(arguments: PolicyArguments, model: bytes) -> pylibvw.vw:
    try:
        read_header(model)
    except InvalidModel as error:
        raise Corrupt(f"The model can't be loaded: {error.message}") from error
    with _model_file() as path:
        path.write_bytes(model)
        try:
            return pylibvw.vw([*arguments.tokens(without="random_seed"), *_OURS, "-i", str(path)])
        except RuntimeError as error:
            raise Corrupt(f"The model can't be loaded: {error}.") from error


def _save_workspace(workspace: pylibvw.vw) -> bytes:
    with _model_file() as path:
        try:
            workspace.save(str(path))
        except RuntimeError as error:
            raise StoreUnavailable(f"The model can't be saved: {error}.") from error
        return path.read_bytes()


@contextmanager
def _model_file() -> Iterator[Path]:
    """A path in a private folder: the binding reads and writes models by file name only."""
    try:
        with tempfile.TemporaryDirectory(prefix="sartor-") as folder:
            yield Path(folder, "model.vw")
    except OSError as error:
        raise StoreUnavailable(f"There is no room for a model in the temporary folder: {error}.") from error
