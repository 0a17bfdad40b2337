from pathlib import Path

import pytest

from sartor.errors import InvalidPolicy
from sartor.learn.engines import fills_several_slots
from sartor.learn.policy import check_policy
from sartor.loops import with_arguments, with_epsilon
from sartor.settings import AZURE_ARGUMENTS, DEFAULT_ARGUMENTS, LoopSettings
from sartor.testing.builders import make_loop


@pytest.mark.parametrize(
    ("given", "read"),
    [
        pytest.param(AZURE_ARGUMENTS, AZURE_ARGUMENTS, id="the retired service's default"),
        pytest.param(DEFAULT_ARGUMENTS, DEFAULT_ARGUMENTS, id="our default"),
        pytest.param(
            "--cb_explore_adf --epsilon 0.2 --dsjson --cb_type ips -l 0.5 --l1 1E-07 --power_t 0.5",
            "--cb_explore_adf --epsilon 0.2 --cb_type ips -l 0.5 --l1 1E-07 --power_t 0.5",
            id="the published example",
        ),
        pytest.param(
            "--cb_adf --cb_explore_adf --cb_type mtr --csoaa_ldf multiline --csoaa_rank --epsilon 0.2",
            "--cb_adf --cb_explore_adf --cb_type mtr --csoaa_ldf multiline --csoaa_rank --epsilon 0.2",
            id="the header of an exported model",
        ),
        pytest.param(
            "--cb_explore_adf --json --quiet --first_only", "--cb_explore_adf --first_only", id="input"
        ),
        pytest.param("  --cb_explore_adf   -q  :: ", "--cb_explore_adf -q ::", id="spaces"),
        pytest.param("--cb_explore_adf -q:: -l0.001 -b18", "--cb_explore_adf -q :: -l 0.001 -b 18", id="glued"),
        pytest.param("--cb_explore_adf --quadratic=::", "--cb_explore_adf --quadratic ::", id="equals sign"),
        pytest.param("--cb_explore_adf --cb_type 'mtr'", "--cb_explore_adf --cb_type mtr", id="quotes"),
        pytest.param(
            "--cb_explore_adf --regcb --cb_min_cost -1 -C -.5",
            "--cb_explore_adf --regcb --cb_min_cost -1 -C -.5",
            id="negative numbers",
        ),
        pytest.param(
            "--cb_explore_adf -q Fi -q Fj --cubic Fij --coin --interactions uj --ignore a --marginal i",
            "--cb_explore_adf -q Fi -q Fj --cubic Fij --coin --interactions uj --ignore a --marginal i",
            id="features",
        ),
        pytest.param(
            "--cb_explore_adf --large_action_space --max_actions 10",
            "--cb_explore_adf --large_action_space --max_actions 10",
            id="many actions",
        ),
        pytest.param(
            "--cb_explore_adf --regcb --regcbopt", "--cb_explore_adf --regcb --regcbopt", id="optimism"
        ),
        pytest.param("--ccb_explore_adf  --dsjson -q ::", "--ccb_explore_adf -q ::", id="several slots"),
    ],
)
def test_what_is_accepted_is_read_into_one_spelling(given: str, read: str) -> None:
    assert check_policy(given) == read
    assert check_policy(read) == read


FILES = """-d --data -i --initial_regressor -f --final_regressor --extra_metrics --no_stdin --binary_parser
-c -k -p --readable_model --invert_hash --cache_file --predictions -r --raw_predictions --feature_mask
--dictionary --dictionary_path --config --args"""
PROCESS = "--dry_run --daemon --port --passes --onethread -t --sendto --ring_size --thread_pool_size"
PRINTED = "--audit -a --driver_output --driver_output_off --log_level --log_output --limit_output -P"
SAVED = """--id --save_resume --preserve_performance_counters --preserve_performance_counter
--predict_only_model --per_model_save_load"""


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        *((option, "files or the way input is read") for option in FILES.split()),
        *((option, "the running of the process") for option in PROCESS.split()),
        *((option, "what is printed") for option in PRINTED.split()),
        *((option, "how models are saved") for option in SAVED.split()),
    ],
)
def test_what_is_the_service_s_to_decide_is_refused_by_name(option: str, reason: str) -> None:
    message = f"The option {option} is not accepted: it concerns {reason}, which the service decides."
    for given in (option, f"{option} x", f"{option}=x"):
        with pytest.raises(InvalidPolicy) as refusal:
            check_policy(f"--cb_explore_adf {given}")
        assert refusal.value.message == message


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("--ccb_explore_adf", "--cb_explore_adf for one slot, or --ccb_explore_adf for several, not both"),
        ("--slates", "--slates is not accepted: each slot is decided and learned by itself"),
        ("--cats 4", "--cats is not accepted: it makes another kind of problem"),
        ("--cb_dro", "--cb_dro is not accepted: a model saved with it does not go on exactly"),
        ("--squarecb --elim", "--elim is not accepted: before much was learned"),
        ("--nn 1000", "--nn is not accepted"),
        ("--no_such_option", "--no_such_option is not accepted"),
        ("-z", "-z is not accepted"),
        ("--", "-- is not accepted"),
        ("--fin x", "--fin is not accepted"),
        ("-fx", "-f is not accepted: it concerns files"),
        ("--quiet=x", "--quiet is not accepted"),
        ("--epsilon", "--epsilon needs a value"),
        ("--epsilon --squarecb", "--epsilon takes a number from 0 to 1, not '--squarecb'"),
        ("--epsilon 1.5", "--epsilon takes a number from 0 to 1, not '1.5'"),
        ("--epsilon nan", "--epsilon takes a number from 0 to 1, not 'nan'"),
        ("--epsilon=", "--epsilon takes a number from 0 to 1, not ''"),
        ("-l inf", "-l takes a number from 0 to 1000, not 'inf'"),
        ("-b 60", "-b takes a whole number from 10 to 24, not '60'"),
        ("--bag 100000", "--bag takes a whole number from 1 to 16"),
        ("--cover 1000000", "--cover takes a whole number from 1 to 16"),
        ("--bag 15 -b 22", "15 models of 22 bits need too much memory"),
        ("--squarecb=yes", "--squarecb takes no value"),
        ("--cb_type none", "--cb_type takes one of ips, dm, dr, mtr, sm, not 'none'"),
        ("-q abc", "-q takes the first characters of two namespaces"),
        ("-q '-f'", "-q takes the first characters of two namespaces"),
        ("--interactions ::::", "--interactions takes the first characters of two or three namespaces"),
        ("--epsilon 0.1 --epsilon 0.1", "--epsilon is given more than once"),
        ("-l 0.1 --learning_rate 0.1", "--learning_rate is given more than once"),
        (" ".join(f"-q a{c}" for c in "bcdefghijklm" * 6), "64 interactions at most, not 72"),
        ("/etc/passwd", "Expected an option, which begins with '-', not '/etc/passwd'"),
        ("-q ab /etc/passwd", "Expected an option, which begins with '-', not '/etc/passwd'"),
        ("-", "Expected an option, which begins with '-', not '-'"),
        ("--cb_type 'mtr", "A quotation in the learning settings has no end"),
        ("-q\tab", "printable ASCII characters only"),
        ("-q ab\n--data x", "printable ASCII characters only"),
        ("-q a\x00", "printable ASCII characters only"),
        ("-q é:", "printable ASCII characters only"),
        ("-q ab" + " " * 1100, "1024 characters at most, not 1122"),
        ("--squarecb --cb_type dr", "'dr' is not a valid choice for option --cb_type"),
        ("--squarecb --bag 2", "The learning settings are not accepted: "),
        ("--coin --ftrl", "one of 'ftrl', 'pistol', or 'coin'"),
    ],
)
def test_what_is_refused_is_refused_with_the_reason(rest: str, message: str) -> None:
    with pytest.raises(InvalidPolicy) as refusal:
        check_policy(f"--cb_explore_adf {rest}")
    assert message in refusal.value.message


def test_an_option_that_does_not_go_on_exactly_with_several_slots_is_refused() -> None:
    with pytest.raises(InvalidPolicy, match="--large_action_space is not accepted beside --ccb_explore_adf"):
        check_policy("--ccb_explore_adf --squarecb --large_action_space --max_actions 2")


def test_the_kind_of_problem_is_read_from_the_settings() -> None:
    assert fills_several_slots("--ccb_explore_adf --squarecb")
    assert not fills_several_slots("--cb_explore_adf --squarecb")


@pytest.mark.parametrize("arguments", ["", "--epsilon 0.2", "--cb_adf", "--squarecb -q ::"])
def test_other_problems_than_ranking_are_refused(arguments: str) -> None:
    with pytest.raises(InvalidPolicy, match="must contain --cb_explore_adf"):
        check_policy(arguments)


def test_a_policy_writes_nothing_to_disk_or_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    check_policy(DEFAULT_ARGUMENTS)
    for rest in ["-f x.vw", "-p x.txt", "--squarecb --cb_type dr", "--coin --ftrl", "--audit"]:
        with pytest.raises(InvalidPolicy):
            check_policy(f"--cb_explore_adf {rest}")
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(
            "--cb_explore_adf --epsilon 0.2 -q ::", "--cb_explore_adf --epsilon 0.05 -q ::", id="replaced"
        ),
        pytest.param("--cb_explore_adf --epsilon=0.2", "--cb_explore_adf --epsilon=0.05", id="equals sign"),
        pytest.param("--cb_explore_adf --squarecb", "--cb_explore_adf --squarecb", id="none there"),
        pytest.param("--lda_epsilon 1", "--lda_epsilon 1", id="another option that ends so"),
    ],
)
def test_exploration_replaces_the_number_after_epsilon(arguments: str, expected: str) -> None:
    assert with_epsilon(arguments, epsilon=0.05) == expected


@pytest.mark.parametrize(
    ("arguments", "percentage"),
    [
        ("--cb_explore_adf --epsilon 0.05 -q ::", 0.05),
        ("--cb_explore_adf --epsilon=1e-3", 0.001),
        ("--another --epsilon 1", 1.0),
        ("--cb_explore_adf --squarecb", 0.35),
        ("--cb_explore_adf --lda_epsilon 1", 0.35),
    ],
)
def test_the_number_after_epsilon_becomes_the_exploration_percentage(arguments: str, percentage: float) -> None:
    before = make_loop(settings=LoopSettings(exploration_percentage=0.35))
    after = with_arguments(before, arguments)
    assert (after.arguments, after.settings.exploration_percentage) == (arguments, percentage)
    assert after.effective_arguments == with_epsilon(arguments, epsilon=percentage)


def test_a_loop_whose_numbers_differ_serves_its_exploration_percentage() -> None:
    loop = make_loop(arguments="--cb_explore_adf --epsilon 0.05", settings=LoopSettings())
    assert loop.effective_arguments == "--cb_explore_adf --epsilon 0.2"


@pytest.mark.parametrize("epsilon", [0, 1, 0.2, 1e-05, 0.1 + 0.2])
def test_a_policy_with_any_exploration_is_accepted(epsilon: float) -> None:
    arguments = with_epsilon(AZURE_ARGUMENTS, epsilon=epsilon)
    assert float(arguments.split()[2]) == epsilon
    assert check_policy(arguments) == arguments
