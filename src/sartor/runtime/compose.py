"""The composition root: which store and which engine an instance uses, decided in one place.

A store is chosen by its URL: ``sqlite:///relative`` and ``sqlite:////absolute``, or a plain path for short.
"""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sartor import open_files
from sartor.access.secrets import resolver
from sartor.errors import InvalidSetting
from sartor.ports import EngineFactory, ProcessReports, Stores
from sartor.settings import Durability
from sartor.stores.audited import AuditedStores, audited


def data_folder(where: str, /) -> Path:
    """The folder that a path or a ``sqlite:///`` URL names.

    Raises:
        InvalidSetting: a URL of another scheme.
    """
    scheme, separator, rest = where.partition("://")
    if not separator:
        return Path(where)
    if scheme != "sqlite" or not rest.startswith("/") or rest == "/":
        raise InvalidSetting(f"Can't keep data at {where!r}: give a folder, or a URL like sqlite:///folder.")
    return Path(rest[1:])


def make_private(where: str, /) -> None:
    """Take the permissions of others away from a data folder and all in it; nothing if there is none."""
    from sartor.stores.layout import Layout

    if data_folder(where).is_dir():
        Layout(data_folder(where)).make_private()


def open_stores(where: str, /, *, durability: Durability = "commit") -> Stores:
    """Open the stores of an instance, created at first use, and let the process have all files it may have.

    Raises:
        InvalidSetting: the URL has an unknown scheme, or the process may have too few files open.
        StoreUnavailable: the folder can't be read or written.
    """
    from sartor.stores import stores as folder

    open_files.raise_limit()
    return folder.open_stores(data_folder(where), durability=durability, master_key=_find_master_key())


def open_reports(where: str, /) -> ProcessReports:
    """Open what the processes of an instance say about themselves, and nothing else of it.

    Raises:
        InvalidSetting: the URL has an unknown scheme.
    """
    from sartor.stores.layout import Layout
    from sartor.stores.process_reports import FileProcessReports

    return FileProcessReports(Layout(data_folder(where)).reports)


@contextmanager
def open_instance(
    where: str, /, *, durability: Durability = "commit", must_exist: bool = True
) -> Iterator[AuditedStores]:
    """Open the stores on behalf of the user of this process, and close them at the end.

    Args:
        where: a folder or a URL.
        durability: what a commit waits for.
        must_exist: refuse a folder that does not exist, instead of creating it.

    Raises:
        InvalidSetting: the URL has an unknown scheme, or the folder does not exist.
        StoreUnavailable: the folder can't be read or written.
    """
    if must_exist and not data_folder(where).is_dir():
        raise InvalidSetting(f"There is no data folder {where!r}: 'sartor serve' makes one; --data names it.")
    opened = open_stores(where, durability=durability)
    try:
        yield audited(opened, f"{_find_user()} on this machine")
    finally:
        opened.close()


def _find_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the user id has no name
        return f"user {os.getuid()}"


def _find_master_key() -> bytes | None:
    """The configured master key; None: the store keeps one of its own in its folder."""
    return resolver.find_secret(resolver.SECRET_KEY).encode() or None


def engine_factory() -> EngineFactory:
    """Returns the factory of the engines."""
    from sartor.learn.engines import create_engine

    return create_engine
