"""One run: sources of requests on several connections, and the counts and findings of all of them.

A 503 counts as documented, and is no finding, only where it says to come back later (``Retry-After``) and the
campaign itself brought it about, by what it sends at a time: as many events wait for a commit as may, or the
service holds as many bodies, responses or unread bytes as it can, or as many models are being tried as may.
Quotas of a loop are 429. The campaign neither stops the service nor breaks a loop: a 503 for such a reason is a
finding, and so is one about a loop that was deleted.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from benchmarks.fuzz.mutations import Mutator
from benchmarks.fuzz.request_kinds import Request, RequestSource, Target
from benchmarks.fuzz.strict_client import Answer, ProtocolError, StrictClient

MUTATED = 0.45
"""The share of requests that are mutated; some of those are accepted, too."""

_MOST_SHOWN = 20

_DOCUMENTED = (
    b"Too many events are waiting to be written",
    b"The service holds as many",
    b"Too much has arrived that could not be looked at yet",
    b"Other models are being checked",
)


class Campaign:
    """Sends requests until they are all sent. Connection ``i`` sends the same ones for the same seed."""

    def __init__(self, host: str, port: int, target: Target, /, *, seed: int, connections: int) -> None:
        self._sources = [RequestSource(seed * 1_000 + number, target) for number in range(connections)]
        self._clients = [StrictClient(host, port) for _ in range(connections)]
        self._target = target
        self._lock = threading.Lock()
        self.statuses: dict[str, Counter[int]] = {}
        self.refusals: Counter[str] = Counter()
        self.findings: list[str] = []
        self.unavailable: Counter[str] = Counter()
        self.sent = 0

    def run(self, count: int, /, *, note_progress: Callable[[int], None] = lambda _: None) -> float:
        """Send ``count`` more requests; returns the seconds that it took."""
        start_s = time.monotonic()
        each, more = divmod(count, len(self._clients))
        with ThreadPoolExecutor(len(self._clients)) as threads:
            work = [
                threads.submit(self._send, number, each + (number < more), note_progress)
                for number in range(len(self._clients))
            ]
            for one in work:
                one.result()
        return time.monotonic() - start_s

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients:
            client.close()

    @property
    def connections(self) -> int:
        """How many connections were opened."""
        return sum(client.connections for client in self._clients)

    @property
    def accepted(self) -> int:
        """How many requests had a success."""
        return sum(
            count for counts in self.statuses.values() for status, count in counts.items() if status < 300
        )

    def _send(self, number: int, count: int, note_progress: Callable[[int], None]) -> None:
        client = self._clients[number]
        for request in self._draw(self._sources[number], count):
            try:
                answer = client.send(request)
            except ProtocolError as error:
                self._find(request, f"protocol: {error}")
                continue
            self._count(request, answer)
            if self.sent % 1_000 == 0:
                note_progress(self.sent)

    def _draw(self, source: RequestSource, count: int) -> Iterator[Request]:
        mutator, random = Mutator(source.random, self._target), source.random
        for _ in range(count):
            request = source.draw()
            yield mutator.mutate(request) if random.random() < MUTATED else request

    def _count(self, request: Request, answer: Answer) -> None:
        code = answer.headers.get("x-ms-error-code", "")
        with self._lock:
            self.sent += 1
            self.statuses.setdefault(request.plane, Counter())[answer.status] += 1
            if is_documented(answer):
                self.unavailable[f"{code}: {answer.body[:120].decode(errors='replace')}"] += 1
                return
            if answer.status >= 400:
                self.refusals[f"{answer.status} {code}"] += 1
        if answer.status >= 500:
            self._find(request, f"{answer.status} {answer.body[:120]!r}")

    def _find(self, request: Request, what: str) -> None:
        with self._lock:
            self.sent += what.startswith("protocol")
            self.findings.append(
                f"{what}\n    {request.plane}, {request.kind}: {request.method} {request.target[:200]!r}"
                f"\n    headers {dict(request.headers[1:])!r:.300}\n    body {request.body[:300]!r}"
            )


def is_documented(answer: Answer, /) -> bool:
    """Whether an answer is a 503 that the campaign itself brought about."""
    is_later = answer.status == 503 and "retry-after" in answer.headers
    return is_later and any(reason in answer.body for reason in _DOCUMENTED)


def format_counts(campaign: Campaign, /) -> Iterator[str]:
    """The report of what was answered, line by line."""
    for plane, counts in sorted(campaign.statuses.items()):
        classes = Counter[str]()
        for status, count in counts.items():
            classes[f"{status // 100}xx"] += count
        yield f"{plane}: " + ", ".join(f"{name} {count:,}" for name, count in sorted(classes.items()))
    total = max(1, campaign.sent)
    yield (
        f"in all {campaign.sent:,} requests on {campaign.connections:,} connections, "
        f"{campaign.accepted:,} accepted ({campaign.accepted / total:.0%})"
    )
    yield "refused most: " + _join(dict(campaign.refusals.most_common(8)))
    if campaign.unavailable:
        yield "503 with Retry-After, as documented: " + _join(campaign.unavailable)
    for finding in campaign.findings[:_MOST_SHOWN]:
        yield f"FINDING {finding}"


def _join(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count:,})" for name, count in counts.items())
