"""A real issuer of tokens for tests: its own keys, a discovery document, a key set, on a free port."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from sartor.access.tokens.issuers import Issuer, RoleRule, TrustedIssuers

AUDIENCE = "api://sartor"
ROLES = (
    RoleRule(claim="roles", value="Sartor.Owner", role="Owner"),
    RoleRule(claim="roles", value="Shop.User", role="User", loop="default"),
    RoleRule(claim="roles", value="Shop.Reader", role="Reader", loop="default"),
    RoleRule(claim="roles", value="Shop.Contributor", role="Contributor", loop="default"),
    RoleRule(claim="realm.groups", value="other", role="Contributor", loop="other"),
    RoleRule(claim="scp", value="rank", role="User"),
)


@cache
def _key(number: int) -> RSAKey:
    """A key pair; making one takes a tenth of a second, so that tests share them."""
    return RSAKey.generate_key(2048, {"kid": f"key-{number}", "use": "sig", "alg": "RS256"})


class TokenIssuer:
    """Signs tokens, and publishes the keys for them. ``requests`` counts what was asked, by path."""

    def __init__(self) -> None:
        self.keys: list[RSAKey | ECKey] = []
        self.requests: list[str] = []
        self.failing = False
        self.said: dict[str, Any] = {}
        self.url = ""
        self._made = 0
        self.rotate()

    @property
    def key(self) -> RSAKey | ECKey:
        """The one that signs now."""
        return self.keys[-1]

    def rotate(self, *, keep: bool = True) -> None:
        """Sign with a new key from now on. ``keep``: go on publishing the old ones."""
        self._made += 1
        key = _key(self._made)
        self.keys = [*self.keys, key] if keep else [key]

    def claims(self, *roles: str, **changes: object) -> dict[str, Any]:
        """Good claims; None as a change removes one."""
        now_s = int(time.time())
        claims: dict[str, object] = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "ada",
            "iat": now_s,
            "exp": now_s + 600,
            "roles": list(roles),
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def token(self, *roles: str, **changes: object) -> str:
        """A good token for these roles."""
        return self.signed(self.claims(*roles, **changes))

    def signed(self, claims: dict[str, Any]) -> str:
        """Any claims, signed with the key of now."""
        kid = self.key.kid
        assert kid is not None
        return jwt.encode({"alg": "RS256", "kid": kid}, claims, self.key)

    def trusted(self, **changes: Any) -> TrustedIssuers:
        """The settings of an instance that trusts it."""
        return TrustedIssuers(issuers=(Issuer(issuer=self.url, audiences=(AUDIENCE,), roles=ROLES, **changes),))

    def answer(self, path: str) -> bytes | None:
        """What it says at a path; None: it fails."""
        self.requests.append(path)
        if self.failing:
            return None
        if path == "/.well-known/openid-configuration":
            return json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/keys"} | self.said).encode()
        return json.dumps({"keys": [key.as_dict(private=False) for key in self.keys]}).encode()


@contextmanager
def serving(issuer: TokenIssuer) -> Iterator[TokenIssuer]:
    """The issuer on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = issuer.answer(self.path)
            self.send_response(500 if body is None else 200)
            self.send_header("content-length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
