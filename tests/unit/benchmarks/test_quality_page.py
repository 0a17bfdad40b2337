"""The comparison says what was reached and what falls short, and plays only what is missing."""

import sys
from pathlib import Path

import pytest

from benchmarks.quality import __main__ as command
from benchmarks.quality.catalogue import CATALOGUE, open_stream
from benchmarks.quality.contestants import OURS, PEER_NAMES
from benchmarks.quality.page import count_ahead, format_quality_page, group_worlds
from benchmarks.quality.plan import RESCALED, plan_runs
from benchmarks.quality.play import StreamResult
from benchmarks.quality.runs import KeptRuns, PlannedRun
from benchmarks.quality.standings import Standings, WorldRun, build_standings, compare_with_peers
from benchmarks.quality.targets import list_rows

RUN = PlannedRun(world="seasons", learner=OURS, seed=100, turns=5_000)


def result(share: float, *, above: float = 0.5, start: float = 0.1) -> StreamResult:
    return StreamResult(
        share=share,
        last_quarter=share,
        last_third=share,
        above_random=above,
        above_random_500=above,
        start_gain=start,
        start_error=0.01,
        least_probability=0.1,
        decide_us=10.0,
        learn_us=20.0,
    )


def standings_of(shares: dict[str, float], *, world: str = "seasons") -> Standings:
    runs = {PlannedRun(world=world, learner=who, seed=100, turns=5_000): s for who, s in shares.items()}
    return build_standings((run, result(share, above=share)) for run, share in runs.items())


def test_the_command_plays_a_little_world_and_then_nothing_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "runs.jsonl"
    words = ["quality", "--quick", "--without-tables", "--seeds", "1", "--runs", str(file)]
    monkeypatch.setattr(sys, "argv", [*words, "--only", "tutorial", OURS, "vw-epsilon"])
    command.main()
    first = capsys.readouterr()
    assert "tutorial, 1,000" in first.out
    assert "2/2" in first.err
    assert len(file.read_bytes().splitlines()) == 2
    command.main()
    again = capsys.readouterr()
    assert again.out == first.out
    assert again.err == ""


def test_a_kept_result_is_found_until_its_code_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = KeptRuns(tmp_path / "runs.jsonl")
    assert kept.list_missing([RUN]) == [RUN]
    kept.keep(RUN, result(0.8))
    assert KeptRuns(tmp_path / "runs.jsonl").find(RUN) == result(0.8)
    monkeypatch.setattr("benchmarks.quality.runs._mark_world", lambda name: "other")
    assert kept.find(RUN) is None


def test_nothing_that_is_for_choosing_is_reported() -> None:
    runs = plan_runs(seeds=2)
    assert {CATALOGUE[run.world.partition("@")[0]].group for run in runs} == {"known", "reporting"}
    assert min(run.seed for run in runs) >= 100


def test_a_ratio_is_at_most_one_and_at_least_nothing() -> None:
    def compare(ours: float, best: float) -> float:
        by_learner = standings_of({OURS: ours, "linucb": best, "lints": best - 0.1})[WorldRun("seasons", 5_000)]
        found = compare_with_peers(by_learner, world="seasons", measure="share")
        assert found is not None
        assert found.best_peer == "linucb"
        return found.ratio

    assert compare(0.9, 0.8) == 1
    assert compare(0.4, 0.8) == 0.5
    assert compare(-0.4, 0.8) == 0
    assert compare(-0.4, -0.5) == 1
    assert compare(-0.6, -0.5) == 0


def test_targets_say_what_falls_short() -> None:
    worlds = group_worlds()
    good = standings_of({OURS: 0.9, "linucb": 0.9})
    poor = standings_of({OURS: 0.5, "linucb": 0.9})
    assert {row.met for row in list_rows(good, lab=worlds.lab, unseen=worlds.unseen)} == {True}
    rows = list_rows(poor, lab=worlds.lab, unseen=worlds.unseen)
    assert [row.text for row in rows if row.met is False].count("0.556 (seasons, linucb is ahead)") == 2


def test_a_start_below_chance_falls_short_by_more_than_its_error_only() -> None:
    for gain, met in ((-0.01, True), (-0.03, False)):
        standings = build_standings([(RUN, result(0.9, start=gain))])
        assert [row.met for row in list_rows(standings, lab=(), unseen=())] == [met]


def test_errors_shrink_with_seeds_and_grow_with_their_spread() -> None:
    runs = [PlannedRun(world="rings", learner=OURS, seed=seed, turns=5_000) for seed in (100, 101)]
    one = build_standings([(runs[0], result(0.5))])[WorldRun("rings", 5_000)][OURS]
    two = build_standings([(runs[0], result(0.5)), (runs[1], result(0.7))])[WorldRun("rings", 5_000)][OURS]
    assert (one.seeds, one.share_error) == (1, 0)
    assert two.share == pytest.approx(0.6)
    assert two.share_error == pytest.approx(0.1)
    assert two.start_error < one.start_error


def test_the_page_has_every_learner_and_world() -> None:
    runs = [run for run in plan_runs(seeds=1) if not run.world.startswith("tutorial@")]
    standings = build_standings((run, result(0.8)) for run in runs)
    page = format_quality_page(standings, {"cores": "2"}, day="2026-03-01", seeds=[100])
    worlds = group_worlds()
    for name in [OURS, *PEER_NAMES, *(world.world for world in worlds.unseen + worlds.lab)]:
        assert f"| {name} |" in page
    assert "**falls short**" in page
    assert count_ahead(standings, worlds.unseen) == len(worlds.unseen)


@pytest.mark.parametrize("name", [name for name in RESCALED if name not in ("wine", "breast-cancer")])
def test_other_units_change_what_is_told_and_nothing_else(name: str) -> None:
    plain, told = open_stream(name, seed=7), open_stream(f"{name}@plus-1000", seed=7)
    for turn in range(20):
        one, other = plain.situation(turn), told.situation(turn)
        assert one.context != other.context
        assert plain.expected_rewards(one) == told.expected_rewards(other)
        assert plain.reward(one, 0) == told.reward(other, 0)
