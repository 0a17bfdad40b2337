"""What callers sent can't steer the terminal of whoever looks at it."""

import io
import re
import sys
from pathlib import Path
from typing import BinaryIO, cast

import pytest

import sartor.cli
from sartor.cli import formatting
from sartor.cli.export import TerminalStream
from sartor.errors import InvalidRequest

STEERING = "a\x1b[2Jb\rc\x9bd\x7fe\u2028f\u202eg\x85h\nforged"


def check(written: str, lines: int) -> None:
    assert written.count("\n") == len(written.splitlines()) == lines
    assert all(char.isprintable() for char in written.replace("\n", ""))
    assert "\\u001b[2J" in written


def test_sentences_pairs_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    formatting.print_result({}, f"The reward of {STEERING} is 1.", as_json=False)
    formatting.print_pairs({STEERING: STEERING}, as_json=False)
    formatting.print_line(STEERING)
    check(capsys.readouterr().out, 3)
    formatting.print_error(InvalidRequest(STEERING))
    check(capsys.readouterr().err, 1)


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    formatting.print_json({"a": STEERING})
    check(capsys.readouterr().out, 3)


def test_tables_and_their_markup(capsys: pytest.CaptureFixture[str]) -> None:
    formatting.print_table(("ID", "NAME"), [(STEERING, "[red]x[/red][link=http://evil]y[/link]")])
    written = capsys.readouterr().out
    check(written, 2)
    assert "[red]x[/red][link=http://evil]y[/link]" in written


def test_texts_and_their_markup(capsys: pytest.CaptureFixture[str]) -> None:
    formatting.print_text(f"[bold]{formatting.escape_markup(STEERING + '[red]x')}[/bold]")
    written = capsys.readouterr().out
    check(written, 1)
    assert "[red]x" in written


def test_an_export_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    stream = TerminalStream()
    data = f'{{"a":"{STEERING} é"}}\n'.encode() + b"\xff\n"
    for at in range(len(data)):
        stream.write(data[at : at + 1])
    stream.flush()
    written = capsys.readouterr().out
    check(written, 3)
    assert "é" in written
    assert "\\xff" in written


def test_a_table_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    text = io.TextIOWrapper(cast("BinaryIO", TerminalStream()), "utf-8", newline="", write_through=True)
    text.write("a,\x1b[2J\n")
    text.detach()
    check(capsys.readouterr().out, 1)


def test_every_command_prints_through_formatting() -> None:
    """Elsewhere a name of a caller could be printed as it is."""
    folder = Path(sartor.cli.__file__).parent
    found = {
        f"{path.name}: {line.strip()}"
        for path in folder.glob("*.py")
        if path.name != "formatting.py"
        for line in path.read_text().splitlines()
        if re.search(r"sys\.(stdout|stderr)\.write|\bprint\(|\becho\(", line)
    }
    assert not found


def test_a_terminal_is_shown_text_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from sartor.cli import export

    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal(io.BytesIO()))
    with pytest.raises(InvalidRequest, match="Parquet"), export._open_output(None, "parquet"):
        pass
    with export._open_output(None, "dsjson") as stream:
        assert type(stream).__name__ == TerminalStream.__name__
    with export._open_output(tmp_path / "out", "parquet") as stream:
        assert type(stream).__name__ != TerminalStream.__name__
