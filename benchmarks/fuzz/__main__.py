"""``python -m benchmarks.fuzz --requests 200000``: fuzzes a service that it starts; exit code 1 on findings."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import server
from benchmarks.fuzz import watch
from benchmarks.fuzz.campaign import Campaign, format_counts
from benchmarks.fuzz.request_kinds import Request, Target
from benchmarks.fuzz.strict_client import StrictClient

_OWNER_KEY = "the-owner-key-of-a-fuzzed-service"
_SLOTS = "--ccb_explore_adf --epsilon 0.2 --cb_type mtr -q ::"
_WARM_UP = 0.2
_REST_S = 10.0
_GROWTH_MB = 64.0
_GROWTH_SHARE = 0.35
_LEAST_ACCEPTED = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a campaign; returns the exit code."""
    options = _parse(arguments)
    with tempfile.TemporaryDirectory(prefix="sartor-fuzz-") as name:
        data = Path(name) / "data"
        _prepare(data)
        environment = {"SARTOR_OWNER_KEY": _OWNER_KEY, "SARTOR_LOG_FORMAT": "json"}
        with server.run_service(data, env=environment, pins=False) as service:
            findings = _fuzz(service, options)
        findings += [f"log: {line[:500]}" for line in watch.read_errors(data.parent / "data.log")]
    print(f"{len(findings)} findings." if findings else "No findings.")
    for finding in findings[:40]:
        print(f"FINDING {finding}")
    return 1 if findings else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=2_000, help="How many requests are sent.")
    parser.add_argument("--seed", type=int, default=1, help="The same seed sends the same requests.")
    parser.add_argument("--connections", type=int, default=8, help="How many connections send at a time.")
    return parser.parse_args(arguments)


def _prepare(data: Path) -> None:
    folder = ("--data", str(data))
    for name in ("single", "slots", "spare"):
        server.run_sartor("loop", "create", name, *folder)
        server.run_sartor("loop", "set", name, "rewardWaitTime=PT5S", "modelExportFrequency=PT2S", *folder)
    server.run_sartor("loop", "policy", "slots", _SLOTS, *folder)


def _fuzz(service: server.Service, options: argparse.Namespace) -> list[str]:
    address = urlsplit(service.endpoint)
    assert address.hostname is not None
    assert address.port is not None
    target = Target(
        host=address.netloc, single=service.key("single"), slots=service.key("slots"), owner=_OWNER_KEY
    )
    supervisor = service.pids["supervisor"]
    campaign = Campaign(
        address.hostname, address.port, target, seed=options.seed, connections=options.connections
    )
    lines_before = count_audit_lines(address.hostname, address.port, target)
    warm_up = round(options.requests * _WARM_UP)
    took_s = campaign.run(warm_up, note_progress=_show)
    time.sleep(_REST_S)
    before = watch.look(supervisor)
    took_s += campaign.run(options.requests - warm_up, note_progress=_show)
    campaign.close()
    time.sleep(_REST_S)
    after = watch.look(supervisor)
    lines = count_audit_lines(address.hostname, address.port, target) - lines_before
    print("\n".join(format_counts(campaign)))
    print(f"in {took_s:.0f} s, {campaign.sent / took_s:.0f} requests/s; {lines:,} audit lines")
    for role, late in sorted(after.rss_mb.items()):
        print(f"{role}: {before.rss_mb.get(role, 0):.0f} MB after the warm-up, {late:.0f} MB at the end")
    return [*campaign.findings, *_find_changes(before, after), *_find_few(campaign)]


def count_audit_lines(host: str, port: int, target: Target, /) -> int:
    """The number of the newest line of the audit log."""
    client = StrictClient(host, port)
    answer = client.send(Request.read_as_owner(target, b"/sartor/v1/activities?last=1"))
    client.close()
    newest = json.loads(answer.body)
    return int(newest[-1]["number"]) if newest else 0


def _find_changes(before: watch.Processes, after: watch.Processes) -> list[str]:
    found = [
        f"the {role} process was replaced: {pid} is {after.pids.get(role)}"
        for role, pid in before.pids.items()
        if after.pids.get(role) != pid
    ]
    for role, was in before.rss_mb.items():
        grown = after.rss_mb.get(role, 0.0) - was
        if grown > max(_GROWTH_MB, was * _GROWTH_SHARE):
            found.append(f"memory stays: the {role} process grew from {was:.0f} by {grown:.0f} MB")
    return found


def _find_few(campaign: Campaign) -> list[str]:
    if campaign.accepted >= campaign.sent * _LEAST_ACCEPTED:
        return []
    return [f"only {campaign.accepted:,} of {campaign.sent:,} requests were accepted"]


def _show(sent: int) -> None:
    print(f"{sent:,} sent", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
