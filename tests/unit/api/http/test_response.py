"""Answers as bytes, for connections that end with them."""

import json
import re

from sartor.api.http.error_responses import error_response
from sartor.api.http.response import new_request_id, raw_response


def test_last_words_are_a_whole_response() -> None:
    head, _, body = raw_response(error_response(408, "RequestTimeout", "Too late.")).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 408 Request Timeout"
    headers = dict(line.split(": ", 1) for line in lines[1:])
    assert headers["connection"] == "close"
    assert headers["x-ms-error-code"] == "RequestTimeout"
    assert int(headers["content-length"]) == len(body)
    assert json.loads(body) == {"error": {"code": "RequestTimeout", "message": "Too late."}}


def test_request_ids_are_guids_and_differ() -> None:
    made = [new_request_id().decode() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one)
        for one in made
    )
