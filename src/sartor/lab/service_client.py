"""A client of the HTTP API for the lab: rank and reward over one persistent connection."""

import time
from collections.abc import Sequence
from urllib.parse import quote

import msgspec
import requests
from msgspec import Struct

from sartor.access.outgoing import OutgoingSession
from sartor.errors import CallerError, SartorError, Unauthorized, Unavailable
from sartor.lab.world import Situation

RETRY_TIMEOUT_S = 30.0
"""How long a call is repeated while the service answers 503."""

_encode = msgspec.json.Encoder().encode


class RankResult(Struct, frozen=True, rename="camel"):
    """The part of the answer to a rank that an application needs."""

    event_id: str
    reward_action_id: str


class ServiceClient:
    """Ranks and rewards over HTTP. Close it, or use it in a ``with`` statement."""

    def __init__(self, endpoint: str, key: str, /, *, timeout_s: float = 10.0) -> None:
        self._root = endpoint.rstrip("/") + "/personalizer/v1.0"
        self._timeout_s = timeout_s
        self._session = OutgoingSession()
        self._session.headers.update({"Ocp-Apim-Subscription-Key": key, "Content-Type": "application/json"})

    def __enter__(self) -> "ServiceClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; idempotent."""
        self._session.close()

    def rank(self, situation: Situation[object], /, *, event_id: str) -> int:
        """Rank the options of a situation; returns the index of the one to show.

        Raises:
            Unauthorized: the service does not know the key.
            Unavailable: no service answers there, or it answered 503 for ``RETRY_TIMEOUT_S``.
            SartorError: any other answer that is not a success.
        """
        actions = [{"id": option.id, "features": option.features} for option in situation.options]
        body = {"contextFeatures": situation.context, "actions": actions, "eventId": event_id}
        answer = msgspec.json.decode(self._post("/rank", body), type=RankResult)
        return _find_index(answer.reward_action_id, [option.id for option in situation.options])

    def reward(self, event_id: str, value: float, /) -> None:
        """Send a reward. Raises the same errors as ``rank``."""
        self._post(f"/events/{quote(event_id, safe='')}/reward", {"value": value})

    def _post(self, path: str, body: object) -> bytes:
        deadline = time.monotonic() + RETRY_TIMEOUT_S
        while True:
            answer = self._send(path, _encode(body))
            if answer.status_code != 503 or time.monotonic() >= deadline:
                return _check_status(answer)
            time.sleep(_retry_delay_s(answer))

    def _send(self, path: str, body: bytes) -> requests.Response:
        try:
            return self._session.post(self._root + path, data=body, timeout=self._timeout_s)
        except requests.RequestException as error:
            raise Unavailable(f"No service answers at {self._root}: is 'sartor serve' running?") from error


def _retry_delay_s(answer: requests.Response) -> float:
    after = answer.headers.get("Retry-After", "")
    return min(float(after) if after.isdecimal() else 1.0, RETRY_TIMEOUT_S)


def _check_status(answer: requests.Response) -> bytes:
    if 200 <= answer.status_code < 300:
        return answer.content
    status = f"{answer.status_code} {answer.reason}: {answer.text[:500]}"
    if answer.status_code == 401:
        raise Unauthorized(f"The service does not accept this key ({status}).")
    if answer.status_code >= 500:
        raise Unavailable(f"The service could not answer ({status}).")
    raise CallerError(f"The service refused a request ({status}).")


def _find_index(name: str, names: Sequence[str]) -> int:
    if name not in names:
        raise SartorError(f"The service answered {name!r}, which was not on offer.")
    return names.index(name)
