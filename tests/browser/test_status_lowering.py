"""Two people lower a sacred status in a real browser; one alone can't."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ethics.admin.visibility import COMMUNITY_STEWARD, COMPLIANCE_OFFICER
from ethics.policy import SacredStatus
from tests.admin_people import make_person
from tests.browser.conftest import log_in
from tests.factories import make_item

pytestmark = pytest.mark.browser
PASSWORD = "a long pass phrase"


def test_a_steward_proposes_and_only_another_person_confirms(site, open_page) -> None:
    item = make_item(display_label="A synthetic practice", sacred_status=SacredStatus.RESTRICTED)
    page = open_page()
    log_in(page, site, make_person(COMMUNITY_STEWARD, password=PASSWORD).get_username(), PASSWORD)
    page.goto(f"{site.url}/admin/ethics/governeditem/{item.pk}/change/")
    page.get_by_role("link", name="Propose a lower status").click()
    page.select_option("[name=to_status]", "none")
    page.fill("[name=reason]", "asked by the council")
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_text("not protected")).to_be_visible()
    address = page.url
    page.get_by_role("link", name="Confirm").click()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Another person than the one who proposed it has to decide.")).to_be_visible()

    officer = open_page()
    log_in(officer, site, make_person(COMPLIANCE_OFFICER, password=PASSWORD).get_username(), PASSWORD)
    officer.goto(address)
    officer.get_by_role("link", name="Confirm").click()
    expect(officer.get_by_text("asked by the council")).to_be_visible()
    officer.get_by_role("button", name="Confirm").click()
    expect(officer.get_by_text("The proposal is confirmed.")).to_be_visible()
    item.refresh_from_db()
    assert item.sacred_status == SacredStatus.NONE
