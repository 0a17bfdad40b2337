"""Writes lines of the joined log (dsjson), as the retired service wrote them (contract, 2.12, 3.1 and 3.2).

One line is one outcome, and exactly what the engine learns from: export and training share this file. The
label comes first, because Vowpal Wabbit silently ignores a label that follows the context. Decisions of several
slots have another kind of line: see ``multi_slot.py``.
"""

import msgspec

from sartor.dsjson import multi_slot
from sartor.dsjson.context_json import encode_decision_context
from sartor.dsjson.members import label_cost, skip_mark, timestamp_member, to_cost, to_entry
from sartor.records import LoggedDecision, Outcome

_encode = msgspec.json.Encoder().encode


def encode_outcome_line(logged: LoggedDecision, outcome: Outcome) -> bytes:
    """Encodes one line of the joined log, without its line end; learnable unless it holds ``_skipLearn``.

    The label is that of the decision's own learning mode (contract, section 2.6): in Apprentice a reward of 1
    for having chosen the baseline and 0 otherwise; in LoggingOnly nothing is learned. The real reward is
    always in ``_original_label_cost``.
    """
    decision = logged.decision
    if decision.slots:
        return multi_slot.encode_outcome_line(logged, outcome)
    rankable = decision.rankable
    label = rankable.index(decision.chosen)
    cost = label_cost(decision, outcome.reward, is_baseline=decision.chosen == decision.baseline)
    return b"".join(
        (
            b'{"_label_cost":%b,"_label_probability":%b,' % (_encode(cost), _encode(decision.propensity)),
            b'"_label_Action":%d,"_labelIndex":%d,' % (label + 1, label),
            skip_mark(decision, outcome),
            b'"o":%b,' % _encode([to_entry(outcome.event_id, joined) for joined in outcome.joined]),
            _decision_members(logged, rankable),
            b',"pdrop":%b' % _encode(decision.dropped) if decision.dropped else b"",
            b',"_original_label_cost":%b}' % _encode(to_cost(outcome.reward)),
        )
    )


def encode_pending_line(logged: LoggedDecision) -> bytes:
    """Encodes a decision that is not settled yet, marked ``_pending`` and ``_skipLearn``: it has no label."""
    if logged.decision.slots:
        return multi_slot.encode_pending_line(logged)
    return b'{"_pending":true,"_skipLearn":true,%b}' % _decision_members(logged, logged.decision.rankable)


def _decision_members(logged: LoggedDecision, rankable: tuple[int, ...]) -> bytes:
    decision = logged.decision
    number = {index: place + 1 for place, index in enumerate(rankable)}
    ranked = [index for index in decision.ranking if index in number]
    return b'%b"Version":"1","EventId":%b,"a":%b,"c":%b,"p":%b,"VWState":{"m":%b}' % (
        timestamp_member(logged),
        _encode(decision.event_id),
        _encode([number[index] for index in ranked]),
        encode_decision_context(decision, rankable),
        _encode([decision.probabilities[index] for index in ranked]),
        _encode(decision.model_id),
    )
