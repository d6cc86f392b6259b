"""An officer asks in a real browser why an item is refused, and reads the rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from ethics.admin.visibility import COMPLIANCE_OFFICER
from ethics.consent import consent_withdraw
from ethics.models import ItemLabel
from ethics.policy import LabelRule
from tests.admin_people import make_consent, make_label, make_person
from tests.browser.conftest import log_in
from tests.factories import make_item

pytestmark = pytest.mark.browser
PASSWORD = "a long pass phrase"


def test_an_officer_sees_why_a_use_is_refused_rule_by_rule(site, open_page, tmp_path: Path) -> None:
    item = make_item(display_label="A synthetic practice")
    ItemLabel.objects.create(item=item, label=make_label(LabelRule.NON_COMMERCIAL))
    consent_withdraw(consent=make_consent(item), reason="asked by the council")
    page = open_page(viewport={"width": 1400, "height": 1300})
    log_in(page, site, make_person(COMPLIANCE_OFFICER, password=PASSWORD).get_username(), PASSWORD)
    page.goto(f"{site.url}/admin/ethics/governeditem/{item.pk}/change/")
    page.get_by_role("link", name="Why?").click()

    expect(page.locator("[data-decides=label_non_commercial]")).to_contain_text("non-commercial label")
    page.locator("#why-matrix tbody tr", has_text="Training").get_by_role("link").nth(3).click()
    decided = page.locator("[data-decides]")
    expect(decided).to_have_attribute("data-decides", "consent_denied_or_withdrawn")
    expect(decided.get_by_role("link")).to_contain_text("withdrawn consent")
    expect(page.locator("#why-rules")).to_contain_text("Training for platform: refused")
    screenshot = tmp_path / "why.png"
    page.screenshot(path=screenshot, full_page=True)
    assert screenshot.stat().st_size > 10_000
    decided.get_by_role("link").click()
    expect(page.get_by_text("synthetic letter")).to_be_visible()
