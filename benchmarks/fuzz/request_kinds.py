"""Requests that a service accepts, on all planes and in all versions of the wire, drawn from a seed."""

import json
from collections import deque
from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple
from urllib.parse import quote

DATA, ADMIN, CONTROL = "data plane", "admin routes", "control plane"
IN_PATH = ("v1.0", "v1.1-preview.1", "v1.1-preview.2", "v1.1-preview.3")
IN_QUERY = "2022-09-01-preview"
VERSIONS = (*IN_PATH, IN_QUERY)
PREVIEWS = VERSIONS[1:]
LATEST = VERSIONS[3:]

_REMEMBERED = 500
_LOOP_NAMES = 20


class Target(NamedTuple):
    """Two loops of the service, by their keys, the owner's key, and the loop that may be changed."""

    host: str
    single: str
    slots: str
    owner: str
    spare: str = "spare"


class Request(NamedTuple):
    """A request. ``target``: path and query, as they are sent."""

    plane: str
    kind: str
    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @classmethod
    def read_as_owner(cls, to: Target, target: bytes, /) -> "Request":
        """A request that reads something with the owner's key."""
        headers = ((b"host", to.host.encode()), (b"ocp-apim-subscription-key", to.owner.encode()))
        return cls(CONTROL, "read", "GET", target, headers, b"")

    def encode(self) -> bytes:
        """The bytes on the line; the length is always that of the body."""
        lines = [
            b"%b %b HTTP/1.1" % (self.method.encode(), self.target),
            *(b"%b: %b" % header for header in self.headers),
            b"content-length: %d" % len(self.body),
        ]
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body


class RequestSource:
    """Draws requests; remembers the event ids of what it asked, so that rewards meet decisions."""

    def __init__(self, seed: int, target: Target, /) -> None:
        self.random = Random(seed)
        self._target = target
        self._prefix = f"e{seed}"
        self._number = 0
        self._events: dict[bool, deque[str]] = {
            False: deque(maxlen=_REMEMBERED),
            True: deque(maxlen=_REMEMBERED),
        }
        data = (self._rank,) * 6 + (self._reward,) * 5 + (self._activate,)
        admin = (self._read_admin,) * 12 + (self._put_unchanged, self._ask_evaluation)
        control = (self._read_control,) * 10 + (self._correct, self._change_spare, self._make_loop, self._erase)
        self._kinds: tuple[tuple[Callable[[], Request], ...], ...] = (data, data, data, data, admin, control)

    def draw(self) -> Request:
        """A request that a healthy service accepts, or answers 404, 409 or 429 as it says."""
        return self.random.choice(self.random.choice(self._kinds))()

    def _rank(self) -> Request:
        slots = self.random.random() < 0.3
        version = self.random.choice(PREVIEWS if slots else VERSIONS)
        actions = [self._action(number) for number in range(self.random.randint(2, 8))]
        body: dict[str, object] = {"actions": actions, "contextFeatures": [self._features()]}
        if self.random.random() < 0.8:
            self._number += 1
            event = f"{self._prefix}-{self._number}"
            body["eventId"] = event
            self._events[slots].append(event)
        if slots:
            count = self.random.randint(1, 2)
            body["slots"] = [
                {"id": f"s{number}", "features": [self._features()], "baselineAction": f"a{number}"}
                for number in range(count)
            ]
        elif self.random.random() < 0.2:
            body["excludedActions"] = ["a1"]
        if self.random.random() < 0.1:
            body["deferActivation"] = True
        return self._wire("rank", "POST", "/multislot/rank" if slots else "/rank", body, version, slots=slots)

    def _reward(self) -> Request:
        slots = self.random.random() < 0.3
        version = self.random.choice(PREVIEWS if slots else VERSIONS)
        value = self.random.choice([0, 1, -1, 0.5, 1e-320, 1e50, self.random.random()])
        body = {"reward": [{"slotId": "s0", "value": value}]} if slots else {"value": value}
        path = f"{'/multislot' if slots else ''}/events/{self._event(slots)}/reward"
        return self._wire("reward", "POST", path, body, version, slots=slots)

    def _activate(self) -> Request:
        slots = self.random.random() < 0.3
        version = self.random.choice(PREVIEWS if slots else VERSIONS)
        path = f"{'/multislot' if slots else ''}/events/{self._event(slots)}/activate"
        return self._wire("activate", "POST", path, None, version, slots=slots)

    def _read_admin(self) -> Request:
        version = self.random.choice(VERSIONS)
        paths = ["/configurations/service", "/configurations/policy", "/model/properties", "/logs/properties"]
        paths += ["/evaluations", "/model"]
        query: dict[str, str] = {}
        if version in LATEST:
            paths += ["/metrics/learning", "/staged-model"]
        path = self.random.choice(paths)
        if path == "/metrics/learning":
            query = {"numberOfRecentEvents": str(self.random.randint(1, 500))}
        slots = self.random.random() < 0.3
        return self._wire("read", "GET", path, None, version, slots=slots, plane=ADMIN, query=query)

    def _put_unchanged(self) -> Request:
        body = {"name": "azure", "arguments": "--cb_explore_adf --epsilon 0.2 --cb_type mtr -q ::"}
        version = self.random.choice(VERSIONS)
        return self._wire("put policy", "PUT", "/configurations/policy", body, version, plane=ADMIN)

    def _ask_evaluation(self) -> Request:
        body = {
            "name": "fuzzed",
            "startTime": "2020-01-01T00:00:00Z",
            "endTime": "2020-01-02T00:00:00Z",
            "enableOfflineExperimentation": False,
            "policies": [],
        }
        version = self.random.choice(IN_PATH)
        return self._wire("evaluate", "POST", "/evaluations", body, version, plane=ADMIN)

    def _read_control(self) -> Request:
        name = self.random.choice(["single", "slots", self._target.spare])
        path = self.random.choice(
            ["/loops", "/usage", "/activities?last=5", "/deleted-loops"]
            + [f"/loops/{name}{rest}" for rest in ("", "/keys", "/usage", "/activities?last=5", "/score")]
            + [f"/loops/{name}/erasures"]
        )
        return self._control("read", "GET", path)

    def _correct(self) -> Request:
        path = f"/loops/single/events/{self._event(False)}/reward"
        return self._control("correct", "PUT", path, {"value": self.random.random()})

    def _change_spare(self) -> Request:
        tags = {"tags": {"color": self.random.choice(["red", "blue"])}}
        return self._control("change", "PATCH", f"/loops/{self._target.spare}", tags)

    def _make_loop(self) -> Request:
        name = f"made-{self.random.randrange(_LOOP_NAMES)}"
        return self.random.choice(
            [
                self._control("make", "POST", "/loops", {"name": name}),
                self._control("delete", "DELETE", f"/loops/{name}"),
            ]
        )

    def _erase(self) -> Request:
        return self._control("erase", "POST", "/loops/spare/erasures", {"where": {"user": "u1"}})

    def _event(self, slots: bool) -> str:
        known = self._events[slots]
        if known and self.random.random() < 0.9:
            return quote(self.random.choice(known), safe="")
        return "unknown-event"

    def _action(self, number: int) -> dict[str, object]:
        return {"id": f"a{number}", "features": [self._features()]}

    def _features(self) -> dict[str, object]:
        random = self.random
        return {
            "user": f"u{random.randrange(50)}",
            "hour": random.randrange(24),
            "device": {"kind": random.choice(["mobile", "desk"]), "width": random.random()},
        }

    def _wire(
        self,
        kind: str,
        method: str,
        path: str,
        body: object,
        version: str,
        *,
        slots: bool = False,
        plane: str = DATA,
        query: Mapping[str, str] | None = None,
    ) -> Request:
        parameters = dict(query or {})
        root = f"/personalizer/{version}" if version in IN_PATH else "/personalizer"
        if version == IN_QUERY:
            parameters["api-version"] = version
        tail = "&".join(f"{name}={quote(value)}" for name, value in parameters.items())
        key = self._target.slots if slots else self._target.single
        target = f"{root}{path}{'?' + tail if tail else ''}"
        return self._build(plane, f"{kind} {version}", method, target, body, key)

    def _control(self, kind: str, method: str, path: str, body: object = None) -> Request:
        return self._build(CONTROL, kind, method, f"/sartor/v1{path}", body, self._target.owner)

    def _build(self, plane: str, kind: str, method: str, target: str, body: object, key: str) -> Request:
        headers = (
            (b"host", self._target.host.encode()),
            (b"ocp-apim-subscription-key", key.encode()),
            (b"content-type", b"application/json"),
        )
        payload = b"" if body is None else json.dumps(body).encode()
        return Request(plane, kind, method, target.encode(), headers, payload)
