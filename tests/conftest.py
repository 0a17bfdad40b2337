"""What every test shares: property tests without a stopwatch, since machines differ and are shared."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "sartor", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("sartor")
