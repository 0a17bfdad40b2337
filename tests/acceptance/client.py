"""A client of the wire for the tests: no retries, so that every answer is seen."""

import http.client
import json
from typing import Any
from urllib.parse import quote, urlsplit

ACTIONS = [{"id": name, "features": [{"topic": name}]} for name in ("sports", "finance", "travel")]


class Client:
    """A connection that stays open; reopened after an error."""

    def __init__(self, endpoint: str, key: str, *, timeout_s: float = 10.0) -> None:
        parts = urlsplit(endpoint)
        assert parts.hostname is not None
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
        self._headers = {"Ocp-Apim-Subscription-Key": key, "Content-Type": "application/json"}

    def get(self, path: str) -> int:
        return self._send("GET", path, None)[0]

    def rank(self, event_id: str | None = None, **context: object) -> tuple[int, Any]:
        """The status and the body of a rank of three articles. Raises OSError when nobody answers."""
        body: dict[str, object] = {"contextFeatures": [context] if context else [], "actions": ACTIONS}
        if event_id is not None:
            body["eventId"] = event_id
        return self._send("POST", "/personalizer/v1.0/rank", body)

    def reward(self, event_id: str, value: float) -> int:
        """The status of a reward."""
        path = f"/personalizer/v1.0/events/{quote(event_id, safe='')}/reward"
        return self._send("POST", path, {"value": value})[0]

    def _send(self, method: str, path: str, body: object) -> tuple[int, Any]:
        payload = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, payload, self._headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (http.client.HTTPException, OSError) as error:
            self._connection.close()
            raise ConnectionError(str(error)) from error
        if answer.will_close:
            self._connection.close()
        return answer.status, json.loads(content) if content and body is not None else None

    def close(self) -> None:
        self._connection.close()

    def __del__(self) -> None:
        self._connection.close()
