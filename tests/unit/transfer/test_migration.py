"""A whole loop is migrated: settings, policy, logs and model, into a real data folder."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from sartor.dsjson.single_slot import encode_outcome_line
from sartor.errors import (
    InvalidModel,
    InvalidPolicy,
    InvalidSetting,
    LocationUnavailable,
    LoopLocked,
    LoopNotFound,
    ModelNotFound,
)
from sartor.learn.dumps import export_file
from sartor.log import joined_log
from sartor.log.settler import Settler
from sartor.management import lifecycle, loops
from sartor.mixture import MixtureRules
from sartor.ports import Loop, LoopStores, Stores
from sartor.runtime import compose
from sartor.runtime.instance_lock import InstanceLock
from sartor.settings import NEW_LOOP_SETTINGS
from sartor.transfer import settle_and_learn
from sartor.transfer.migration import MigrationSummary, SavedResources, migrate
from sartor.verification import decision_replay
from sartor.verification.doctor import check_loop
from tests.unit.instance import learn, play
from tests.unit.transfer import saved as lines

FACTORY = compose.engine_factory()
LINES = 60


class MigratedLoop:
    def __init__(self, folder: Path, stores: Stores) -> None:
        self.folder = folder / "data"
        self.saved = folder / "saved"
        self.saved.mkdir()
        self.stores = stores
        loops.create_loop(stores, "default")

    def save(self, name: str, content: bytes) -> str:
        (self.saved / name).write_bytes(content)
        return str(self.saved / name)

    def migrate(self, *, dry_run: bool = False, **saved: str) -> MigrationSummary:
        return migrate(
            self.stores, "default", SavedResources(**saved), FACTORY, folder=self.folder, dry_run=dry_run
        )

    @property
    def loop(self) -> Loop:
        return loops.find_loop(self.stores, "default")

    @contextmanager
    def logs(self) -> Iterator[LoopStores]:
        with loops.open_loop(self.stores, self.loop) as logs:
            yield logs

    def exported(self) -> Sequence[bytes]:
        with self.logs() as logs:
            return [
                encode_outcome_line(decision, logged.outcome)
                for decision, logged in joined_log.read_pairs(logs)
            ]


@pytest.fixture
def migrated(tmp_path: Path) -> Iterator[MigratedLoop]:
    with compose.open_instance(str(tmp_path / "data"), must_exist=False) as stores:
        yield MigratedLoop(tmp_path, stores)


def test_history_is_settled_and_learned_and_proved(migrated: MigratedLoop) -> None:
    moved = migrated.migrate(logs=migrated.save("log", lines.log(0, LINES)))
    assert moved.logs is not None
    assert (moved.logs.taken, moved.learned, moved.pending) == ({"single-slot": LINES}, LINES, False)
    with migrated.logs() as logs:
        report = check_loop(migrated.loop, logs, FACTORY, replay=True)
    assert report.problems == ()
    assert report.compared == LINES
    assert report.live_model is not None
    assert (report.counts["outcomes"], report.counts["open"]) == (LINES, 0)


def test_what_goes_in_comes_out_byte_for_byte(migrated: MigratedLoop) -> None:
    log = lines.log(0, LINES)
    migrated.migrate(logs=migrated.save("log", log))
    assert b"".join(line + b"\n" for line in migrated.exported()) == log


def test_repeating_it_changes_nothing(migrated: MigratedLoop) -> None:
    log = migrated.save("log", lines.log(0, LINES))
    migrated.migrate(logs=log)
    moved = migrated.migrate(logs=log)
    assert moved.logs is not None
    assert (moved.logs.taken, moved.learned) == ({}, 0)
    assert len(migrated.exported()) == LINES


def test_the_export_of_a_loop_is_nothing_new_to_it(migrated: MigratedLoop) -> None:
    with migrated.logs() as logs:
        play(migrated.loop, logs, FACTORY, first=0, count=5)
        learn(migrated.loop, logs, FACTORY, ahead_s=0)
    own = b"".join(line + b"\n" for line in migrated.exported())
    moved = migrated.migrate(logs=migrated.save("log", own + lines.log(0, 1)))
    assert moved.logs is not None
    assert moved.logs.taken == {"single-slot": 1}
    assert moved.logs.skipped["repeated"].lines == 5


def test_the_policy_comes_after_the_configuration_and_its_exploration_counts(migrated: MigratedLoop) -> None:
    migrated.migrate(
        configuration=migrated.save("service", b'{"explorationPercentage":0.4}'),
        policy=migrated.save("policy", b'{"name":"mine","arguments":"--cb_explore_adf --epsilon 0.05"}'),
    )
    assert migrated.loop.settings.exploration_percentage == 0.05
    assert migrated.loop.effective_arguments == "--cb_explore_adf --epsilon 0.05"


@pytest.mark.parametrize(
    ("configuration", "policy", "rules"),
    [
        (b'{"defaultReward":0.25}', None, MixtureRules()),
        (None, b'{"name":"mine","arguments":"--cb_explore_adf"}', MixtureRules()),
        (b'{"controlShare":0.2,"explorationFloor":0.1}', None, MixtureRules(control_share=0.2, floor=0.1)),
        (None, None, NEW_LOOP_SETTINGS.mixture_rules),
    ],
)
def test_what_comes_with_settings_or_a_policy_explores_by_itself_alone(
    migrated: MigratedLoop, configuration: bytes | None, policy: bytes | None, rules: MixtureRules
) -> None:
    loops.change_settings(
        migrated.stores,
        "default",
        {
            "controlShare": NEW_LOOP_SETTINGS.control_share,
            "explorationFloor": NEW_LOOP_SETTINGS.exploration_floor,
        },
    )
    saved = {"logs": migrated.save("log", lines.log(0, 1))}
    if configuration is not None:
        saved["configuration"] = migrated.save("service", configuration)
    if policy is not None:
        saved["policy"] = migrated.save("policy", policy)
    migrated.migrate(dry_run=False, **saved)
    assert migrated.loop.settings.mixture_rules == rules


def test_settings_and_policy_come_first(migrated: MigratedLoop) -> None:
    moved = migrated.migrate(
        logs=migrated.save("log", lines.slots_line(1)),
        configuration=migrated.save("config", b'{"defaultReward":0.25,"logMirrorEnabled":true}'),
        policy=migrated.save("policy", b'{"name":"mine","arguments":"--ccb_explore_adf -q ::"}'),
    )
    assert (migrated.loop.policy_name, migrated.loop.arguments) == ("mine", "--ccb_explore_adf -q ::")
    assert migrated.loop.settings.default_reward == 0.25
    assert moved.configuration is not None
    assert set(moved.configuration.left_out) == {"logMirrorEnabled"}
    assert moved.logs is not None
    assert moved.logs.taken == {"multi-slot": 1}
    assert moved.learned == 1


def test_a_model_comes_last_and_knows_the_history_already(migrated: MigratedLoop) -> None:
    engine = FACTORY(migrated.loop.arguments)
    raw = export_file(engine.dump()).content
    engine.close()
    loops.change_settings(migrated.stores, "default", {"allowUnsignedModels": True})
    moved = migrated.migrate(logs=migrated.save("log", lines.log(0, 5)), model=migrated.save("model", raw))
    assert moved.learned == 0
    with migrated.logs() as logs:
        live = logs.models.live()
        assert live is not None
        assert (live.model_id, live.first_outcome, live.last_outcome) == (moved.model, 6, 5)


def test_a_dry_run_writes_nothing(migrated: MigratedLoop) -> None:
    before = migrated.loop
    moved = migrated.migrate(
        dry_run=True,
        logs=migrated.save("log", lines.log(0, 5)),
        configuration=migrated.save("config", b'{"defaultReward":0.25}'),
        policy=migrated.save("policy", b'{"name":"mine","arguments":"--cb_explore_adf"}'),
    )
    assert moved.dry_run
    assert moved.logs is not None
    assert moved.logs.taken == {"single-slot": 5}
    assert moved.policy is not None
    assert migrated.loop == before
    assert migrated.exported() == []


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    ("thing", "content", "error"),
    [
        ("configuration", {"defaultReward": 2}, InvalidSetting),
        ("policy", {"name": "n", "arguments": "--cb_explore_adf -f out"}, InvalidPolicy),
        ("model", "not a model", InvalidModel),
    ],
)
def test_what_is_not_accepted_leaves_the_loop_as_it_is(
    migrated: MigratedLoop, dry_run: bool, thing: str, content: object, error: type[Exception]
) -> None:
    before = migrated.loop
    path = migrated.save(thing, json.dumps(content).encode())
    with pytest.raises(error):
        migrated.migrate(dry_run=dry_run, **{thing: path})
    assert migrated.loop == before


def test_nothing_is_written_when_a_location_is_empty(migrated: MigratedLoop) -> None:
    before = migrated.loop
    with pytest.raises(LocationUnavailable):
        migrated.migrate(logs="/nowhere", configuration=migrated.save("config", b'{"defaultReward":0.25}'))
    assert migrated.loop == before


def test_a_locked_loop_takes_nothing(migrated: MigratedLoop) -> None:
    lifecycle.set_terms(migrated.stores, "default", {"lock": "change"})
    with pytest.raises(LoopLocked):
        migrated.migrate(logs=migrated.save("log", lines.log(0, 2)))
    assert migrated.exported() == []


def test_an_import_leaves_an_entry_in_the_activity_log(migrated: MigratedLoop) -> None:
    url = f"file://{migrated.save('log', lines.log(0, 2))}"
    migrated.migrate(logs=url)
    (newest,) = migrated.stores.audit.last(1)
    assert (newest.entry.action, newest.entry.loop) == ("import", "default")
    assert json.loads(newest.entry.after or "") == {"logs": url}


def test_a_decision_made_elsewhere_can_not_be_made_again(migrated: MigratedLoop) -> None:
    migrated.migrate(logs=migrated.save("log", lines.log(0, 2)))
    with migrated.logs() as logs:
        (old,) = decision_replay.find_decisions(logs, "old-1")
        with pytest.raises(ModelNotFound, match="was imported; model app/model"):
            decision_replay.replay_decision(migrated.loop, logs, old, FACTORY)


def test_there_is_no_such_loop(migrated: MigratedLoop) -> None:
    with pytest.raises(LoopNotFound):
        migrate(migrated.stores, "other", SavedResources(), FACTORY, folder=migrated.folder)


def test_a_service_on_the_folder_settles_and_learns(migrated: MigratedLoop) -> None:
    log = migrated.save("log", lines.log(0, LINES))
    ended = threading.Event()

    def serve() -> None:
        with (
            compose.open_instance(str(migrated.folder)) as stores,
            loops.open_loop(stores, migrated.loop) as logs,
        ):
            settler = Settler(logs.events, logs.outcomes)
            while not ended.wait(0.01):
                settler.step(migrated.loop.settings, settings_version=1)

    service = threading.Thread(target=serve)
    with InstanceLock(migrated.folder).only_supervisor():
        service.start()
        moved = migrated.migrate(logs=log)
        ended.set()
        service.join()
    assert (moved.learned, moved.pending) == (None, False)
    assert len(migrated.exported()) == LINES


def test_a_service_that_does_not_learn_is_not_waited_for(
    migrated: MigratedLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle_and_learn, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(settle_and_learn, "_POLL_S", 0.01)
    with InstanceLock(migrated.folder).only_supervisor():
        moved = migrated.migrate(logs=migrated.save("log", lines.log(0, 5)))
    assert moved.pending
    assert migrated.exported() == []
    moved = migrated.migrate(logs=str(migrated.saved / "log"))
    assert (moved.pending, moved.learned) == (False, 5)
