"""Secrets in HashiCorp Vault: the fields of one secret of a key-value store of version 2."""

from urllib.parse import urlsplit

from sartor.access.secrets import vault
from sartor.errors import InvalidSetting


class HashicorpVault:
    """A ``vault.Vault``."""

    def __init__(self, address: str, /, *, token: str) -> None:
        """Prepare; nothing is requested yet.

        Args:
            address: ``https://HOST[:PORT]/MOUNT/PATH``.
            token: what opens the vault.

        Raises:
            InvalidSetting: the address has no mount and path, or ``hvac`` is not installed.
        """
        try:
            import hvac
        except ImportError as error:
            raise vault.missing_package("hvac", "hashicorp") from error
        parts = urlsplit(address)
        self._mount, _, self._path = parts.path.strip("/").partition("/")
        self._url = f"{parts.scheme}://{parts.netloc}"
        if not self._path:
            raise InvalidSetting(f"{vault.VAULT}: {address} names no secret: add /MOUNT/PATH.")
        self._client = hvac.Client(url=self._url, token=token or None, timeout=10, allow_redirects=False)

    def read(self, name: str, /) -> str | None:
        """The field of that name.

        Raises:
            StoreUnavailable: the vault does not answer, or refuses.
        """
        import hvac.exceptions
        import requests

        try:
            answer = self._client.secrets.kv.v2.read_secret_version(
                path=self._path, mount_point=self._mount, raise_on_deleted_version=True
            )
        except hvac.exceptions.InvalidPath:
            return None
        except (hvac.exceptions.VaultError, requests.RequestException) as error:
            raise vault.vault_unavailable(self._url, error) from error
        if not isinstance(answer, dict):  # a redirect, which is not followed
            raise vault.vault_unavailable(self._url, ValueError("no answer of a vault"))
        found = answer["data"]["data"].get(name)
        return None if found is None else str(found)
