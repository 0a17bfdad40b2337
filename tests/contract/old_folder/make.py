"""Makes ``folder.tar.gz`` beside this file: a data folder, and what the version that wrote it answers about it.

``test_old_folder`` opens the archive with the current code. The archive in the repository was written by commit
41c343a, the last one before modules and classes got the names that they have now. This script uses the command
line and HTTP only, so that it does not depend on names; to make the archive again, run it with that version:

    git worktree add ../old 41c343a
    PYTHONPATH=../old/src python tests/contract/old_folder/make.py folder.tar.gz

A run takes about five minutes. ``secret.key`` in the archive decrypts nothing but the archive.

The archive holds ``data`` (the folder; its processes were killed), ``default.backup``, ``receipt.json`` (of an
erasure) and ``answers.json``: commands and GET requests, and what they answered.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

ACTIONS = [{"id": name, "features": [{"topic": name}]} for name in ("sports", "finance", "travel")]
SLOTS = [
    {"id": "top", "features": [{"size": "large"}], "baselineAction": "sports"},
    {"id": "side", "features": [{"size": "small"}], "baselineAction": "finance"},
]
V1, PREVIEW, V2022 = "/personalizer/v1.0", "/personalizer/v1.1-preview.3", "/personalizer"
NEWEST = "?api-version=2022-09-01-preview"
EVER = {"name": "which", "startTime": "2020-01-01T00:00:00Z", "endTime": "2100-01-01T00:00:00Z"}
OWNER_KEY = "the-owner-key-of-this-folder"
MULTI_SLOT = "--ccb_explore_adf --epsilon 0.2 --cb_type mtr -q ::"
YEAR = time.gmtime().tm_year
LOOPS = ("default", "slots", "pupil", "silent", "locked", "twin", "resettled")

COMMANDS = (
    ["loop", "list"],
    *(["loop", "show", name] for name in LOOPS),
    *(["loop", "models", name] for name in LOOPS),
    *(["loop", "policy", name] for name in LOOPS),
    *(["loop", "keys", name] for name in ("default", "slots")),
    *(["loop", words, "locked"] for words in ("tags", "quota", "networks")),
    ["loop", "deleted"],
    *(["score", name] for name in LOOPS),
    ["evaluate", "default", "--list"],
    ["evaluate", "default", "--show", "first"],
    ["evaluate", "slots", "--show", "filled"],
    ["usage", "--from", f"{YEAR}-01-01", "--to", f"{YEAR}-12-31"],
    ["audit", "--last", "1000"],
    ["audit", "--verify"],
    *(["why", event, "--all", "--loop", "default"] for event in ("e-40", "wrong")),
    ["why", "e-20", "--loop", "slots"],
    *(["replay", event, "--loop", "default"] for event in ("e-0", "e-40", "wrong")),
    *(["replay", "e-41", "--loop", name] for name in ("slots", "pupil", "silent")),
    *(["replay", "open", "--loop", name] for name in ("locked", "twin")),
    *(["export", name, "--pending"] for name in LOOPS),
    ["export", "default", "--format", "csv"],
    ["doctor"],
    ["doctor", "--replay"],
    ["erase", "locked", "--check", "receipt.json"],
)

REQUESTS = (
    *((name, f"{V1}/configurations/service") for name in LOOPS),
    *((name, f"{PREVIEW}/staged-model") for name in ("default", "twin")),
    *((name, f"{V1}/logs/properties") for name in ("default", "locked")),
    ("default", f"{V1}/model/properties"),
    ("default", f"{V1}/evaluations"),
    ("default", f"{V1}/evaluations/first"),
    ("default", f"{V2022}/evaluations{NEWEST}"),
    ("default", f"{V2022}/featureImportances{NEWEST}"),
    ("pupil", f"{PREVIEW}/metrics/learning?numberOfRecentEvents=10000&aggregationEventCount=10000"),
    (OWNER_KEY, "/sartor/v1/loops"),
    (OWNER_KEY, "/sartor/v1/deleted-loops"),
    (OWNER_KEY, "/sartor/v1/activities?last=1000"),
    (OWNER_KEY, "/sartor/v1/loops/default/score"),
)


class Instance:
    """A data folder, the commands on it, and the service that uses it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.keys: dict[str, str] = {}
        self._environment = {**os.environ, "SARTOR_OWNER_KEY": OWNER_KEY}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, role: str) -> None:
        """Start ``serve`` or ``api``, and wait until it answers."""
        command = [sys.executable, "-m", "sartor", role, "--data", str(self.folder), "--port", str(self.port)]
        self._process = subprocess.Popen(command, env=self._environment, start_new_session=True)
        eventually(self._is_ready, "ready")

    def _is_ready(self) -> bool:
        try:
            return self.call("GET", "/health/ready")[0] == 200
        except OSError:
            return False

    def kill(self) -> None:
        """Kill the service and all of its processes."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)

    def stop(self) -> None:
        """Ask the service to end, and wait until it has."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)

    def run(self, *words: str) -> dict[str, Any]:
        """Run a command in the folder above the data; its exit code and what it printed."""
        options = ["--data", str(self.folder)]
        if words[0] not in ("export", "serve"):
            options.append("--json")
        command = [sys.executable, "-m", "sartor", *words, *options]
        result = subprocess.run(
            command, capture_output=True, text=True, cwd=self.folder.parent, check=False, env=self._environment
        )
        return {"code": result.returncode, "out": result.stdout, "err": result.stderr}

    def json(self, *words: str) -> Any:
        """What a command that must succeed printed."""
        done = self.run(*words)
        assert done["code"] == 0, f"{words}: {done}"
        return json.loads(done["out"]) if words[0] != "export" else done["out"]

    def call(self, method: str, path: str, body: Any = None, *, key: str = "") -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            payload = body if isinstance(body, bytes) or body is None else json.dumps(body)
            connection.request(method, path, payload, {"Ocp-Apim-Subscription-Key": key})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ask(self, loop: str, method: str, path: str, body: Any = None) -> Any:
        """Call an operation of a loop that must succeed."""
        if loop not in self.keys:
            self.keys[loop] = self.json("loop", "keys", loop)["key1"]
        status, content = self.call(method, path, body, key=self.keys[loop])
        assert status < 300, (path, status, content)
        return json.loads(content) if content[:1] in (b"{", b"[") else content

    def rank(self, loop: str, event: str, *, slots: bool = False, **members: Any) -> None:
        context = members.pop("context", {"device": ("mobile", "desktop")[len(event) % 2]})
        body = {"eventId": event, "contextFeatures": [context], "actions": ACTIONS, **members}
        if slots:
            body["slots"] = SLOTS
        self.ask(loop, "POST", f"{V1 if not slots else PREVIEW}{'/multislot' if slots else ''}/rank", body)

    def reward(self, loop: str, event: str, value: float) -> None:
        self.ask(loop, "POST", f"{V1}/events/{event}/reward", {"value": value})

    def reward_slots(self, loop: str, event: str, *values: float) -> None:
        rewards = [{"slotId": slot["id"], "value": value} for slot, value in zip(SLOTS, values, strict=True)]
        self.ask(loop, "POST", f"{PREVIEW}/multislot/events/{event}/reward", {"reward": rewards})

    def count_unmatched(self, loop: str) -> tuple[int, int]:
        """How many observations came late, and how many met no decision."""
        counts = self.json("loop", "show", loop)["counts"]
        return counts["late"], counts["dangling"]

    def wait_until_learned(self) -> None:
        """Wait until every loop that learns has learned everything."""
        for name in ("default", "slots", "pupil", "locked", "resettled"):
            eventually(partial(self.is_learned, name), f"{name} has learned")

    def is_learned(self, loop: str) -> bool:
        """Whether every decision is settled, and a model that learned them is there."""
        counts = self.json("loop", "show", loop)["counts"]
        models = self.json("loop", "models", loop)
        learned = models[0]["learned"] if models else 0
        return bool(counts["outcomes"] == counts["decisions"] and learned == counts["learnable"])


def eventually(condition: Callable[[], object], what: str, *, within_s: float = 60.0) -> None:
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, f"not within {within_s} s: {what}"
        time.sleep(0.2)


def make_loops(made: Instance) -> None:
    """The loops, each with another kind of life before it."""
    terms = ("--tier", "F0", "--tag", "team=news", "--tag", "stage=test")
    for name in LOOPS[1:]:
        made.json("loop", "create", name, *(terms if name == "locked" else ()))
    made.json("loop", "create", "gone")
    quick = ("rewardWaitTime=PT4S", "modelExportFrequency=PT1S", "logRetentionDays=-1")
    for name in (*LOOPS, "gone"):
        made.json("loop", "set", name, *quick)
    made.json("loop", "set", "default", "logMirrorEnabled=true", "logMirrorSasUri=memory://mirror")
    made.json("loop", "set", "default", "explorationPercentage=0.6")
    made.json("loop", "policy", "slots", MULTI_SLOT)
    made.json("loop", "set", "pupil", "learningMode=Apprentice")
    made.json("loop", "set", "silent", "learningMode=LoggingOnly", "learnWhen=window")
    made.json("loop", "networks", "locked", "127.0.0.0/8", "10.0.0.0/8")
    made.json("loop", "quota", "locked", "--ranks-per-second", "500", "--ranks-per-month", "none")


def play(made: Instance, first: int, last: int) -> None:
    """Ranks and rewards on all loops."""
    for number in range(first, last):
        event, value = f"e-{number}", float(number % 3 == 0)
        user = {"device": ("mobile", "desktop")[number % 2], "user": {"id": ("ada", "grace")[number % 2]}}
        for loop in ("default", "pupil", "silent", "locked", "resettled", "gone"):
            made.rank(loop, event, context=user, deferActivation=number % 10 == 9)
            if number % 5:
                made.reward(loop, event, value)
            if number % 7 == 0:
                made.reward(loop, event, -1.0)
        if number % 20 == 9:
            made.ask("default", "POST", f"{V1}/events/{event}/activate")
        made.rank("slots", event, slots=True, context=user)
        made.reward_slots("slots", event, value, 1.0 - value)


def change(made: Instance, folder: Path) -> None:
    """What is done to loops that have learned."""
    newest, *_, oldest = [one["modelId"] for one in made.json("loop", "models", "default")]
    made.json("loop", "rollback", "default")
    made.json("loop", "promote", "default", oldest)
    made.json("loop", "promote", "default", newest)
    note = {"userDescription": "the first one", "savedInHistory": True}
    made.ask("default", "PUT", f"{PREVIEW}/staged-model/{oldest}", note)
    made.json("loop", "set", "default", "modelAutoPublish=true")
    made.json("reward", "default", "wrong", "0.5", "--replace")
    made.json("loop", "set", "resettled", "rewardAggregation=sum", "defaultReward=0.25")
    made.json("loop", "rotate-key", "default", "--key", "2")
    signed = made.ask("default", "GET", f"{PREVIEW}/model?signed=true")
    (folder / "model.zip").write_bytes(signed)
    (folder / "log.dsjson").write_text(made.json("export", "default"))
    made.json("import", "twin", "--from", str(folder / "log.dsjson"), "--model", str(folder / "model.zip"))
    made.json("erase", "locked", "--where", "user.id=ada", "--yes", "--receipt", str(folder / "receipt.json"))


def evaluate(made: Instance) -> None:
    rival = "linear=--cb_explore_adf --epsilon 0.1 --cb_type mtr"
    made.json("evaluate", "default", "--id", "first", "--name", "which one", "--policy", rival)
    made.json("evaluate", "slots", "--id", "filled", "--policy", f"wider={MULTI_SLOT} -l 0.2")
    path = f"{V2022}/featureImportances"
    made.ask("default", "PUT", f"{path}/what{NEWEST}", EVER)

    def done() -> bool:
        found = made.ask("default", "GET", f"{path}/what{NEWEST}")
        assert found["status"] != "Failed", found
        return bool(found["status"] == "Succeeded")

    eventually(done, "the feature importance", within_s=120)


def live(made: Instance, folder: Path) -> None:
    """A life of an instance, from the first start to a kill."""
    made.start("serve")
    make_loops(made)
    time.sleep(1.5)  # every process has heard of the loops
    play(made, 0, 30)
    made.rank("default", "wrong")
    made.reward("default", "wrong", -1.0)
    made.rank("default", "late")
    made.wait_until_learned()
    for number in range(700):  # enough to tell which features matter
        made.rank("default", f"more-{number}", context={"device": ("mobile", "desktop")[number % 2]})
        made.reward("default", f"more-{number}", float(number % 4 == 0))
    made.reward("default", "late", 1.0)
    made.reward("default", "nobody", 1.0)
    play(made, 30, 60)
    made.wait_until_learned()
    made.json("loop", "delete", "gone", "--yes")
    change(made, folder)
    evaluate(made)
    time.sleep(6)  # what was amended is learned and served again, what follows from it is counted
    made.wait_until_learned()
    eventually(lambda: made.count_unmatched("default") == (1, 1), "unmatched rewards", within_s=200)
    made.json("loop", "lock", "locked", "--against", "change")
    made.json("loop", "backup", "default", str(folder / "default.backup"))
    made.stop()
    made.start("serve")
    rival = "linear=--cb_explore_adf --epsilon 0.3"
    made.json("evaluate", "default", "--id", "later", "--policy", rival, "--no-wait")
    for loop in ("default", "pupil", "silent", "locked", "resettled", "twin"):
        made.rank(loop, "open", context={"device": "mobile"})
    made.rank("default", "deferred", deferActivation=True)
    made.rank("slots", "open", slots=True)
    made.reward("default", "early", 1.0)


def answers(made: Instance) -> list[dict[str, Any]]:
    """Returns what the version that wrote the folder answers about it."""
    found: list[dict[str, Any]] = []
    for words in COMMANDS:
        found.append({"command": words, **made.run(*words)})
        sys.stderr.write(f"{found[-1]['code']} {words} {found[-1]['err'][:300]}\n")
    made.keys = {name: made.json("loop", "keys", name)["key1"] for name in LOOPS}
    made.start("api")
    for who, path in REQUESTS:
        status, content = made.call("GET", path, key=made.keys.get(who, who))
        found.append({"who": who, "path": path, "status": status, "body": content.decode()})
        sys.stderr.write(f"{status} {path}\n")
    made.stop()
    return found


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = Instance(folder / "data")
        try:
            live(made, folder)
        finally:
            made.kill()
        time.sleep(5)  # the process of a job, in a group of its own, ends when its parent is gone
        copy = folder / "copy"
        copy.mkdir()
        shutil.copytree(folder / "data", copy / "data")
        shutil.copy(folder / "receipt.json", copy / "receipt.json")
        found = answers(Instance(copy / "data"))
        (folder / "answers.json").write_text(json.dumps(found, indent=1))
        with tarfile.open(target, "w:gz") as tar:
            for part in ("answers.json", "data", "default.backup", "receipt.json"):
                tar.add(folder / part, part)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
