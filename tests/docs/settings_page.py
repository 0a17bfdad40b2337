"""The page of settings, generated from the tables in ``settings.py``.

``python -m tests.docs.settings_page`` regenerates it after a change of a table.
"""

from typing import Any

import msgspec

from sartor.settings import Limits, LoopSettings, ServeSettings
from tests.docs.pages import DOCS

PAGE = DOCS / "reference" / "settings.md"

_TEXT = """# Settings

After this page you know every setting, its default and its range. The page is generated from `settings.py`.

## Of a loop

Changed with `sartor loop set NAME SETTING=VALUE …`; a running service follows within a second.

| setting | default | values | meaning |
| --- | --- | --- | --- |
{loop}

Times are ISO 8601: `PT10S`, `PT5M`, `PT1H`, `P1D`. Learning settings are set with `sartor loop policy NAME`; a
new loop has the [default policy](../design/default-policy.md).

## Of an instance

Read once, when `sartor serve` starts.

| flag | environment | default | values | meaning |
| --- | --- | --- | --- | --- |
{serve}

`SARTOR_SECRET_KEY` holds the secret that encrypts the keys of loops, in place of `secret.key` in the data
folder; `SARTOR_OWNER_KEY` gives access to the control plane for all loops. Both can also come from files
and vaults:
[operate a service](../how-to/operate.md).

## Limits

The most that one request, or one process, may use. They are fixed, but for `waiting_jobs`, which
`--waiting-jobs` sets.

| limit | value |
| --- | --- |
{limits}
"""


def page() -> str:
    """The whole page."""
    loop = [
        f"| `{name}` | `{default}` | {values} | {meaning} |"
        for name, default, values, meaning in rows(LoopSettings)
    ]
    serve = [
        f"| `--{name.replace('_', '-')}` | `SARTOR_{name.upper()}` | `{default}` | {values} | {meaning} |"
        for name, default, values, meaning in rows(ServeSettings)
    ]
    limits = [f"| `{name}` | {value:,.0f} |" for name, value in msgspec.structs.asdict(Limits()).items()]
    return _TEXT.format(loop="\n".join(loop), serve="\n".join(serve), limits="\n".join(limits))


def rows(table: type[msgspec.Struct]) -> list[tuple[str, str, str, str]]:
    """Name, default, values and meaning of each setting of a table."""
    schema = msgspec.json.schema(table)["$defs"][table.__name__]["properties"]
    defaults = msgspec.to_builtins(table())
    return [
        (name, _written(defaults[name]), _values(about), about["description"]) for name, about in schema.items()
    ]


def _written(value: object) -> str:
    if value is None or value == "":
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(about: dict[str, Any]) -> str:
    if "anyOf" in about:
        return " or ".join(_values(kind) for kind in about["anyOf"])
    if "enum" in about:
        return ", ".join(f"`{value}`" for value in about["enum"])
    if "minimum" in about:
        return f"{about['minimum']} to {about['maximum']}"
    if "format" in about:
        return "time"
    kinds = {"boolean": "`true`, `false`", "string": "text", "null": "none", "object": "texts by name"}
    return kinds.get(about["type"], "a list of texts")


if __name__ == "__main__":
    PAGE.write_text(page())
