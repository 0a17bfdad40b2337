"""What a vault is to this service, and the errors that all kinds of vaults have in common."""

from typing import Protocol

from sartor.errors import InvalidSetting, StoreUnavailable

VAULT = "SARTOR_VAULT"


class Vault(Protocol):
    """A place outside the instance that keeps secrets by name."""

    def read(self, name: str, /) -> str | None:
        """The secret of that name; None: there is none.

        Raises:
            StoreUnavailable: the vault does not answer, or refuses.
        """


def missing_package(package: str, extra: str, /) -> InvalidSetting:
    """Build the error for a kind of vault whose packages are not installed."""
    return InvalidSetting(f"This vault needs the package {package}: install 'sartor[{extra}]'.")


def vault_unavailable(url: str, error: Exception, /) -> StoreUnavailable:
    """Build the error for a vault that does not answer; without its response, which may hold a token."""
    return StoreUnavailable(f"The vault at {url} can't be asked ({type(error).__name__}).")
