"""The file of trusted issuers: what it may say."""

import json
from pathlib import Path
from typing import Any

import pytest

from sartor.access.tokens import issuers
from sartor.errors import InvalidSetting

GOOD: dict[str, Any] = {
    "issuers": [
        {
            "issuer": "https://login.example/tenant/v2.0",
            "audiences": ["api://sartor"],
            "roles": [{"claim": "roles", "value": "Owner", "role": "Owner"}],
        }
    ]
}


def read(tmp_path: Path, value: object) -> issuers.TrustedIssuers:
    path = tmp_path / "tokens.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return issuers.read_issuers(path)


def changed(**changes: object) -> dict[str, Any]:
    return {"issuers": [GOOD["issuers"][0] | changes]}


def test_defaults_are_strict(tmp_path: Path) -> None:
    trusted = read(tmp_path, GOOD)
    (issuer,) = trusted.issuers
    assert (issuer.algorithms, trusted.leeway_s) == (("RS256",), 60)
    assert issuer.discovery_uri == "https://login.example/tenant/v2.0/.well-known/openid-configuration"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("{", id="no JSON"),
        pytest.param({}, id="no issuers"),
        pytest.param({"issuers": []}, id="none"),
        pytest.param(changed(audiences=[]), id="no audience"),
        pytest.param(changed(algorithms=["HS256"]), id="a shared secret"),
        pytest.param(changed(algorithms=["none"]), id="no signature"),
        pytest.param(changed(algorithms=[]), id="no algorithm"),
        pytest.param(changed(issuer="http://login.example"), id="in clear text"),
        pytest.param(changed(jwksUri="http://keys.example/"), id="keys in clear text"),
        pytest.param(changed(jwksUri="file:///etc/keys"), id="keys from a file"),
        pytest.param(changed(surprise=1), id="an unknown member"),
        pytest.param(changed(roles=[{"claim": "r", "value": "v", "role": "Admin"}]), id="no such role"),
        pytest.param(GOOD | {"leewayS": 301}, id="clocks too far apart"),
        pytest.param({"issuers": GOOD["issuers"] * 2}, id="an issuer twice"),
    ],
)
def test_what_it_may_not_say(tmp_path: Path, value: object) -> None:
    with pytest.raises(InvalidSetting, match=r"tokens\.json|https"):
        read(tmp_path, value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting):
        issuers.read_issuers(tmp_path / "nothing.json")


def test_a_name_can_not_break_a_line_of_the_log(tmp_path: Path) -> None:
    (issuer,) = read(tmp_path, changed(nameClaim="email")).issuers
    assert issuer.caller({"email": "ada\nroot did it"}).name == "token of ada?root did it"
    assert len(issuer.caller({"email": "a" * 1000}).name) < 200
    assert issuer.caller({"sub": "ada"}).name == "token of ada"
    assert issuer.caller({}).name == "token of without a name"
