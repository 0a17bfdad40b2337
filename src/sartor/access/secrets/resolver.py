"""Where a secret comes from: the environment, else the file that ``NAME_FILE`` names, else the vault.

A vault is named by the URL in ``SARTOR_VAULT``; what opens it is a secret itself, ``SARTOR_VAULT_TOKEN``, which
comes from the environment or a file.
"""

import os
from pathlib import Path

from sartor.access.secrets.vault import VAULT, Vault
from sartor.errors import InvalidSetting

SECRET_KEY = "SARTOR_SECRET_KEY"
"""Seals the keys of loops: the text of ``secret.key``, given from outside."""

OWNER_KEY = "SARTOR_OWNER_KEY"
"""Opens the control plane for all loops."""

VAULT_TOKEN = "SARTOR_VAULT_TOKEN"
_FILE = "_FILE"
_OWNER_KEY_CHARS = 16


def find_secret(name: str, /) -> str:
    """The secret of that name, without white space around it; empty: there is none.

    Raises:
        InvalidSetting: the file can't be read, or the URL names no kind of vault.
        StoreUnavailable: the vault does not answer, or refuses.
    """
    found = _find_local(name)
    if found:
        return found
    where = os.environ.get(VAULT, "")
    return ((open_vault(where).read(name) or "") if where else "").strip()


def find_owner_key() -> str:
    """The key that opens the control plane for all loops; empty: there is none.

    Raises:
        InvalidSetting: it is too short to withstand guessing, or can't be read.
        StoreUnavailable: the vault does not answer, or refuses.
    """
    key = find_secret(OWNER_KEY)
    if key and len(key) < _OWNER_KEY_CHARS:
        raise InvalidSetting(f"{OWNER_KEY} must have {_OWNER_KEY_CHARS} characters or more.")
    return key


def open_vault(url: str, /) -> Vault:
    """The vault at a URL: ``hashicorp+https://HOST/MOUNT/PATH`` or ``azure+https://NAME.vault.azure.net``.

    Raises:
        InvalidSetting: it names no kind of vault, or the packages for it are not installed.
    """
    kind, separator, address = url.partition("+")
    token = _find_local(VAULT_TOKEN)
    if separator and kind == "hashicorp":
        from sartor.access.secrets.hashicorp import HashicorpVault

        return HashicorpVault(address, token=token)
    if separator and kind == "azure":
        from sartor.access.secrets.azure import AzureVault

        return AzureVault(address, token=token)
    raise InvalidSetting(
        f"{VAULT} names no vault: give hashicorp+https://HOST/MOUNT/PATH or azure+https://NAME.vault.azure.net."
    )


def _find_local(name: str) -> str:
    """From the environment, or from the file that it names."""
    found = os.environ.get(name, "").strip()
    path = os.environ.get(f"{name}{_FILE}", "")
    if found or not path:
        return found
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSetting(f"{name}{_FILE}: {path} can't be read ({error}).") from error
