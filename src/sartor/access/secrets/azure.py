"""Secrets in Azure Key Vault, one each: ``SARTOR_OWNER_KEY`` is called ``sartor-owner-key`` there."""

import time
from typing import Any

from sartor.access.secrets import vault

_HOUR_S = 3600


class AzureVault:
    """A ``vault.Vault``."""

    def __init__(self, address: str, /, *, token: str, **options: Any) -> None:
        """Prepare; nothing is requested yet.

        Args:
            address: ``https://NAME.vault.azure.net``.
            token: a bearer token for the vault; empty: what ``azure-identity`` finds on this machine.
            options: passed on to the client.

        Raises:
            InvalidSetting: the packages are not installed.
        """
        try:
            from azure.keyvault.secrets import SecretClient
        except ImportError as error:
            raise vault.missing_package("azure-keyvault-secrets", "azure") from error
        self._url = address
        credential = _TokenCredential(token) if token else _find_credential()
        self._client = SecretClient(address, credential, permit_redirects=False, **options)

    def read(self, name: str, /) -> str | None:
        """The secret of that name.

        Raises:
            StoreUnavailable: the vault does not answer, or refuses.
        """
        from azure.core.exceptions import AzureError, ResourceNotFoundError

        try:
            secret = self._client.get_secret(name.lower().replace("_", "-"))
        except ResourceNotFoundError:
            return None
        except AzureError as error:
            raise vault.vault_unavailable(self._url, error) from error
        return None if secret.value is None else str(secret.value)


class _TokenCredential:
    """A credential of the Azure packages that is a token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_scopes: str, **_options: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken(self._token, int(time.time()) + _HOUR_S)


def _find_credential() -> Any:
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError as error:
        raise vault.missing_package("azure-identity", "azure") from error
    return DefaultAzureCredential()
