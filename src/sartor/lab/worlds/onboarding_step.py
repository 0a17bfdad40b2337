"""The first thing to suggest to someone who has just signed up."""

import random

from msgspec import Struct

from sartor.lab.world import Features, Option, World

STEPS = (
    Option("product_tour", [{"kind": "learn", "minutes": 3}]),
    Option("import_data", [{"kind": "do", "minutes": 8}]),
    Option("invite_team", [{"kind": "share", "minutes": 2}]),
    Option("use_template", [{"kind": "do", "minutes": 4}]),
    Option("connect_api", [{"kind": "do", "minutes": 12}]),
)
COMPLETES = {
    "developer": {"connect_api": 0.70, "import_data": 0.45, "product_tour": 0.20},
    "manager": {"invite_team": 0.65, "product_tour": 0.40, "use_template": 0.30},
    "designer": {"use_template": 0.70, "product_tour": 0.35, "invite_team": 0.30},
    "analyst": {"import_data": 0.68, "use_template": 0.35, "connect_api": 0.35},
}


class Newcomer(Struct, frozen=True):
    """Someone new; ``company_size`` is a head count."""

    role: str
    company_size: int
    source: str
    day: int


class OnboardingStep(World[Newcomer]):
    """Domain: a software service. Reward: 1 when the suggested step is completed within the day.

    Best policy: by role: developers connect the API, managers invite their team, designers take a template,
    analysts import data; those who are alone in their company never invite anyone. Difficulty: company
    size comes as a raw head count over four orders of magnitude.
    """

    name = "onboarding-step"
    reward_is = "step completed"

    def draw_facts(self, rng: random.Random, turn: int, /) -> Newcomer:
        """Roles in equal shares; companies from one head to thousands."""
        return Newcomer(
            role=rng.choice(tuple(COMPLETES)),
            company_size=rng.choices((1, rng.randint(2, 50), rng.randint(51, 5_000)), (25, 45, 30))[0],
            source=rng.choice(("search", "referral", "advert", "event")),
            day=rng.randrange(3),
        )

    def describe(self, facts: Newcomer, /) -> Features:
        """One flat object: the sign-up form."""
        return [
            {
                "role": facts.role,
                "companySize": facts.company_size,
                "source": facts.source,
                "daysSinceSignUp": facts.day,
            }
        ]

    def list_options(self, facts: Newcomer, turn: int, /) -> tuple[Option, ...]:
        """The same five steps, the tour first."""
        return STEPS

    def mean_reward(self, facts: Newcomer, option: Option, turn: int, /) -> float:
        """By role; a little less each day; invitations need colleagues."""
        completes = COMPLETES[facts.role].get(option.id, 0.12)
        if option.id == "invite_team" and facts.company_size == 1:
            completes = 0.03
        return completes * (1 - 0.08 * facts.day)
