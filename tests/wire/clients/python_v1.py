"""The official Python client of v1.0, loaded without the warnings of its age."""

import importlib
import warnings
from types import ModuleType
from typing import Any


def _load(name: str) -> ModuleType:
    with warnings.catch_warnings():
        # The client is from 2019; its helpers import what Python has since declared old.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", SyntaxWarning)
        return importlib.import_module(name)


personalizer: Any = _load("azure.cognitiveservices.personalizer")
models: Any = _load("azure.cognitiveservices.personalizer.models")
authentication: Any = _load("msrest.authentication")
exceptions: Any = _load("msrest.exceptions")

# msrest asks for the time without a zone whenever it makes a request.
OLD_CLOCK = "ignore:datetime.datetime.utcnow:DeprecationWarning"


def client(endpoint: str, key: str) -> Any:
    """A client with a key."""
    return personalizer.PersonalizerClient(endpoint, authentication.CognitiveServicesCredentials(key))
