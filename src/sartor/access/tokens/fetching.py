"""Fetches a JSON document of an issuer within a time that holds for all of it, and a size."""

from typing import Any

import msgspec
import requests

from sartor.access.deadline import Deadline
from sartor.access.destinations import Reach
from sartor.access.outgoing import OutgoingSession

MOST_BYTES = 1_048_576
"""How large a document may be."""

_PART_BYTES = 65_536


def fetch_json(url: str, deadline: Deadline, /, *, reach: Reach = "any") -> dict[str, Any]:
    """Fetch a JSON object; ``reach``: from which addresses. A redirect is not followed.

    Raises:
        requests.RequestException: it does not answer with one in time.
        urllib3.exceptions.HTTPError: its answer breaks off.
        msgspec.DecodeError: its answer is no JSON object.
        ValueError: its answer is too large.
        DestinationRefused: an address may not be reached.
    """
    with OutgoingSession(reach, on_connect=deadline.watch) as session:
        # Unpacked, a small answer could be of any size.
        headers = {"Accept-Encoding": "identity"}
        try:
            with session.get(url, timeout=deadline.after_s, stream=True, headers=headers) as answer:
                if answer.status_code != 200:
                    raise requests.HTTPError(f"It answered {answer.status_code}.")
                body = _read_body(answer)
        finally:
            deadline.check()
    return msgspec.json.decode(body, type=dict[str, Any])


def _read_body(answer: requests.Response) -> bytes:
    body = b""
    for part in answer.raw.stream(_PART_BYTES, decode_content=False):
        body += part
        if len(body) > MOST_BYTES:
            raise ValueError("The answer is too large.")
    return body
