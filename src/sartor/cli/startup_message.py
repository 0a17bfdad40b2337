"""The message that ``sartor serve`` prints when it is ready."""

from pathlib import Path

from rich.markup import escape

from sartor.cli import formatting
from sartor.cli.options import DEFAULTS
from sartor.ports import Loop

_RANK = (
    '{"eventId":"try-1","contextFeatures":[{"device":"mobile"}],"actions":['
    '{"id":"sports","features":[{"topic":"sports"}]},{"id":"finance","features":[{"topic":"finance"}]}]}'
)


class StartupMessage:
    """The lines that ``sartor serve`` prints: where it listens, the first loop's keys, and how to try it."""

    def __init__(self, endpoint: str, data: str, new: Loop | None) -> None:
        self._endpoint = endpoint
        self._data = data
        self._new = new

    def show(self) -> None:
        """Print the lines."""
        formatting.print_text(
            f"[bold]Sartor is ready[/] at [bold]{self._endpoint}[/]; its data is in {self._format_folder()}."
        )
        if self._new is None:
            formatting.print_text(
                f"Keys of a loop: {self._format_command('loop keys NAME')}. "
                f"Every route: [cyan]{self._endpoint}/docs[/]. Stop with Ctrl-C."
            )
        else:
            formatting.print_text(self._format_first_start(self._new))

    def _format_folder(self) -> str:
        return escape(self._data if "://" in self._data else str(Path(self._data).resolve()))

    def _format_command(self, words: str) -> str:
        data = "" if self._data == DEFAULTS.data else f" --data {self._data}"
        return f"[cyan]sartor {words}{escape(data)}[/]"

    def _format_first_start(self, loop: Loop) -> str:
        return "\n".join(
            (
                f"\nFirst start: created the loop [bold]{loop.name}[/].",
                f"  endpoint  {self._endpoint}",
                f"  key1      {loop.key1}",
                f"  key2      {loop.key2}",
                f"See them again with {self._format_command(f'loop keys {loop.name}')}.",
                "\nIn another terminal, ask for a decision, then reward it:",
                self._format_curl("rank", loop.key1, _RANK),
                self._format_curl("events/try-1/reward", loop.key1, '{"value":1}'),
                "\nOr let it learn every second, and simulated readers visit it:",
                f"  {self._format_command(f'loop set {loop.name} modelExportFrequency=PT1S')}",
                f"  {self._format_command('lab --world tutorial')}",
                f"\nEvery route, with examples: [cyan]{self._endpoint}/docs[/]. "
                "Every command: [cyan]sartor --help[/]. Stop with Ctrl-C.",
            )
        )

    def _format_curl(self, route: str, key: str, body: str) -> str:
        return escape(
            f"  curl {self._endpoint}/personalizer/v1.0/{route} -H 'Ocp-Apim-Subscription-Key: {key}' "
            f"-H 'Content-Type: application/json' -d '{body}'"
        )
