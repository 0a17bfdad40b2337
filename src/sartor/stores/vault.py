"""Secrets of an instance besides the keys of its loops: one sealed file each, in ``secrets/``."""

from collections.abc import Callable

from sartor.errors import StoreUnavailable
from sartor.stores.keyring import Keyring, make_once
from sartor.stores.layout import Layout, checked_name


class Vault:
    """Keeps secrets by name; each is made once."""

    def __init__(self, layout: Layout, keyring: Keyring, /) -> None:
        self._layout = layout
        self._keyring = keyring

    def secret(self, name: str, make: Callable[[], bytes], /) -> bytes:
        """The secret of that name, made at first use.

        Raises:
            Corrupt: it was sealed with another secret key, or damaged.
            StoreUnavailable: it can't be read or made.
        """
        path = self._layout.secrets / checked_name(name)
        bound_to = f"secret {name}"
        try:
            if not path.exists():
                self._layout.make_secrets()
                make_once(path, self._keyring.seal_bytes(make(), bound_to=bound_to))
            return self._keyring.open_bytes(path.read_bytes(), bound_to=bound_to, what=f"The secret {name!r}")
        except OSError as error:
            raise StoreUnavailable(f"The secret {name!r} can't be read or made: {error.strerror}.") from error
