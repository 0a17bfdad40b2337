"""TODO."""

from typing import Protocol

from sartor.errors import InvalidSetting, StoreUnavailable

VAULT = "SARTOR_VAULT"


class Vault(Protocol):
    """A vault, as far as this service uses it."""

    def read(self, name: str, /) -> str | None:
        """The secret of that name; None: there is none.

        Raises:
            StoreUnavailable: the vault can't be asked, or does not let us in.
        """


def missing_package(package: str, extra: str, /) -> InvalidSetting:
    """What to say when the packages for a kind of vault are not there."""
    return InvalidSetting(f"This vault needs the package {package}: install 'sartor[{extra}]'.")


def vault_unavailable(url: str, error: Exception, /) -> StoreUnavailable:
    """What to say when a vault does not answer; never with what it said, which may hold a token."""
    return StoreUnavailable(f"The vault at {url} can't be asked ({type(error).__name__}).")
