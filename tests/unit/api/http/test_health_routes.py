"""Health: what is asked, and how often the disk is bothered for it."""

from sartor.api.http.health import HealthProbe


def test_a_probe_is_believed_for_half_a_second() -> None:
    probed_s: list[float] = []
    now_s = [0.0]

    def probe() -> list[str]:
        probed_s.append(now_s[0])
        return []

    health = HealthProbe(probe, clock_s=lambda: now_s[0])
    for moment_s in (0.0, 0.1, 0.4, 0.5, 0.9, 1.0):
        now_s[0] = moment_s
        assert health.ready().status == 200
    assert probed_s == [0.0, 0.5, 1.0]


def test_reasons_are_told() -> None:
    health = HealthProbe(lambda: ["No room.", "No model."], clock_s=lambda: 0.0)
    answer = health.ready()
    assert answer.status == 503
    assert answer.body == (
        b'{"status":"unready","reasons":["No room.","No model."],'
        b'"error":{"code":"OperationNotAllowed","message":"No room. No model."}}'
    )
    assert health.live().status == 200
