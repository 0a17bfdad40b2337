"""The page of routes holds the table from which requests are dispatched."""

from sartor.api.route_table import ROUTES
from tests.docs import routes_page


def test_the_page_of_routes_is_up_to_date() -> None:
    assert routes_page.PAGE.read_text() == routes_page.page(), "python -m tests.docs.routes_page"


def test_every_route_is_on_it() -> None:
    page = routes_page.page()
    assert all(f"`{route.method} {route.path}`" in page for route in ROUTES)
