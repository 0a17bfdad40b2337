"""The options of learning settings that are accepted, and why well-known others are not.

An option is in ``ACCEPTED`` when it only steers learning or exploration, costs a bounded amount of memory and
time, and keeps two promises, which were measured and are tested: predicting changes nothing, and a model
that is saved and loaded goes on exactly as the one that was not (``docs/design/engine.md``).
"""

import re
from collections.abc import Callable

Check = Callable[[str], str | None]
"""Takes a value; returns what was expected, or None if the value is valid."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"\d{1,20}", re.ASCII)


def _number(low: float, high: float) -> Check:
    def check(value: str) -> str | None:
        if _NUMBER.fullmatch(value) and low <= float(value) <= high:
            return None
        return f"a number from {low:g} to {high:g}"

    return check


def _whole(low: int, high: int) -> Check:
    def check(value: str) -> str | None:
        if _WHOLE.fullmatch(value) and low <= int(value) <= high:
            return None
        return f"a whole number from {low} to {high}"

    return check


def _one_of(*choices: str) -> Check:
    def check(value: str) -> str | None:
        return None if value in choices else "one of " + ", ".join(choices)

    return check


def _like(pattern: str, description: str) -> Check:
    matches = re.compile(pattern).fullmatch

    def check(value: str) -> str | None:
        return None if matches(value) else description

    return check


# A namespace is named by its first character. Quotes and backslashes are left out: they mean something to the
# engine's own reader; a value may not begin with '-', which would look like the next option.
_NAMESPACE = r"[!#-&(-,.-\[\]-~]"
# As many as there are: a model file holds those of all its options in one.
_NAMESPACES = _like(f"{_NAMESPACE}{{1,96}}", "first characters of namespaces")
_NAME = r"[!#-&(-,.-\[\]-{}~]{1,64}"

ACCEPTED: dict[str, Check | None] = {
    # The kind of problem: one slot, or several; the engine's own model files repeat the four that follow.
    "cb_explore_adf": None,
    "ccb_explore_adf": None,
    "cb_sample": None,
    "cb_adf": None,
    "csoaa_ldf": _one_of("m", "multiline"),
    "csoaa_rank": None,
    "cb_type": _one_of("ips", "dm", "dr", "mtr", "sm"),
    "clip_p": _number(0, 1),
    # Exploration.
    "epsilon": _number(0, 1),
    "first_only": None,
    "squarecb": None,
    "gamma_scale": _number(0, 1e6),
    "gamma_exponent": _number(0, 1),
    "regcb": None,
    "regcbopt": None,
    "mellowness": _number(0, 1000),
    "cb_min_cost": _number(-1e9, 1e9),
    "cb_max_cost": _number(-1e9, 1e9),
    "softmax": None,
    "lambda": _number(-1000, 1000),
    "first": _whole(1, 1_000_000_000),
    "bag": _whole(1, 16),
    "greedify": None,
    "cover": _whole(1, 16),
    "psi": _number(0, 1000),
    "nounif": None,
    "synthcover": None,
    "synthcoverpsi": _number(0, 1000),
    "synthcoversize": _whole(1, 1000),
    "rnd": _whole(1, 16),
    "rnd_alpha": _number(0, 1000),
    "rnd_invlambda": _number(0, 1000),
    "large_action_space": None,
    "max_actions": _whole(1, 1000),
    # How the weights are updated.
    "learning_rate": _number(0, 1000),
    "power_t": _number(0, 1),
    "initial_t": _number(0, 1e9),
    "l1": _number(0, 1),
    "l2": _number(0, 1),
    "sgd": None,
    "adaptive": None,
    "invariant": None,
    "normalized": None,
    "coin": None,
    "ftrl": None,
    "pistol": None,
    "ftrl_alpha": _number(0, 1000),
    "ftrl_beta": _number(0, 1000),
    "loss_function": _one_of("squared", "classic", "logistic", "hinge", "quantile"),
    "quantile_tau": _number(0, 1),
    "logistic_min": _number(-1e9, 1e9),
    "logistic_max": _number(-1e9, 1e9),
    "min_prediction": _number(-1e9, 1e9),
    "max_prediction": _number(-1e9, 1e9),
    "random_seed": _whole(0, 2**64 - 1),
    # Which features are used, and how they are crossed.
    "bit_precision": _whole(10, 24),
    "quadratic": _like(f"{_NAMESPACE}{{2}}", "the first characters of two namespaces (':' is any)"),
    "cubic": _like(f"{_NAMESPACE}{{3}}", "the first characters of three namespaces (':' is any)"),
    "interactions": _like(f"{_NAMESPACE}{{2,3}}", "the first characters of two or three namespaces"),
    "experimental_full_name_interactions": _like(
        rf"{_NAME}(\|{_NAME}){{1,2}}", "two or three names of namespaces with '|' between"
    ),
    "ignore": _NAMESPACES,
    "ignore_linear": _NAMESPACES,
    "keep": _NAMESPACES,
    "redefine": _like(f"{_NAMESPACE}{{0,32}}:={_NAMESPACE}{{0,32}}", "new:=old"),
    "marginal": _NAMESPACES,
    "initial_numerator": _number(-1e9, 1e9),
    "initial_denominator": _number(1e-10, 1e9),
    "decay": _number(0, 1),
    "ngram": _like(f"{_NAMESPACE}?[1-3]", "1, 2 or 3, after the first character of a namespace or alone"),
    "hash": _one_of("strings", "all"),
    "hash_seed": _whole(0, 2**31 - 1),
    "noconstant": None,
    "constant": _number(-1e9, 1e9),
}
"""Every accepted option, with the check of its value; None: a flag, which takes no value."""

SHORT = {"q": "quadratic", "l": "learning_rate", "b": "bit_precision", "C": "constant"}
"""One-letter names of accepted options."""

DROPPED = frozenset({"dsjson", "json", "quiet"})
"""Flags that the engine sets itself; accepted and dropped, because published examples have them."""

OURS = {
    "prepare": "numbers are standardised, and their steps and whole values are features too, before the engine "
    "sees them (``learn/preparation``)",
}
"""Flags of ours, with what they do; the engine never gets them."""

REPEATABLE = frozenset(
    {
        *("quadratic", "cubic", "interactions", "experimental_full_name_interactions"),
        *("ignore", "ignore_linear", "keep", "redefine", "ngram"),
    }
)
"""Options that may be given more than once."""


def _refuse(reason: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), reason)


REFUSED = {
    **_refuse(
        "it concerns files or the way input is read, which the service decides",
        """data d initial_regressor i final_regressor f extra_metrics no_stdin readable_model invert_hash
        predictions p raw_predictions r cache c cache_file kill_cache k feature_mask dictionary dictionary_path
        input_feature_regularizer output_feature_regularizer_binary output_feature_regularizer_text
        dump_json_weights_experimental audit_regressor epsilon_decay_audit csv flatbuffer compressed
        binary_parser config args chain_hash strict_parse""",
    ),
    **_refuse(
        "it concerns the running of the process, which the service decides",
        """daemon no_daemon foreground port port_file pid_file num_children sendto span_server
        span_server_port unique_id total node onethread passes testonly t dry_run help h version ring_size
        example_queue_limit thread_pool_size""",
    ),
    **_refuse(
        "it concerns what is printed, which the service decides",
        """audit a driver_output driver_output_off log_level log_output limit_output progress P
        hexfloat_weights""",
    ),
    **_refuse(
        "it concerns how models are saved, which the service decides",
        """id save_resume preserve_performance_counters preserve_performance_counter predict_only_model
        per_model_save_load save_per_pass""",
    ),
    **_refuse(
        "each slot is decided and learned by itself, and knows its number",
        "slates ccb_no_slot_index all_slots_loss",
    ),
    **_refuse(
        "it makes another kind of problem than ranking the actions of one request",
        """cats cats_pdf cats_tree cb cb_explore cbify cbzo oaa ect csoaa wap_ldf top explore_eval
        experimental_igl graph_feedback""",
    ),
    **_refuse("before much was learned its probabilities are no numbers", "elim"),
    **_refuse(
        "a model saved with it does not go on exactly as it was",
        "cb_dro lrq lrqfa boosting bootstrap epsilon_decay stage_poly autolink OjaNewton rank",
    ),
}
"""Why a known option is refused, for the message; an option in neither table is refused as well."""
