"""What a client was answered in a test, held against the page of clients."""

from tests.wire.clients import page


class Record:
    """The operations that a client was asked for and that did not raise."""

    def __init__(self, client: str) -> None:
        self._rows = page.client(client).rows
        self._noted: set[str] = set()

    def note(self, operation: str, status: int) -> page.Row:
        """Note an answer, which must have the status on the page; returns its row."""
        row = self._rows[operation]
        assert status == row.status, f"{operation} was answered {status}, the page says {row.status}"
        self._noted.add(operation)
        return row

    def check(self, test: str) -> None:
        """A test that is named after an operation must have seen it answered."""
        due = {operation for operation in self._rows if page.test_of(operation) == test}
        assert due <= self._noted, f"{test} did not see an answer to {due}"
