"""Each role signs in with a real browser and finds its own pages, and no others."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ethics.admin.visibility import COMPLIANCE_OFFICER
from ethics.models import AuditEvent
from neurobotanica.roles import ROLES
from tests.admin_people import make_consent, make_person, make_sacred
from tests.browser.conftest import log_in
from tests.factories import make_practice

pytestmark = pytest.mark.browser
PASSWORD = "a long pass phrase"


def test_each_role_sees_only_its_models(site, open_page) -> None:
    make_practice(title="An open practice")
    sacred = make_sacred("a protected name")
    for role, models in ROLES.items():
        page = open_page()
        log_in(page, site, make_person(role, password=PASSWORD).get_username(), PASSWORD)
        links = page.locator("#content a[href*='/admin/']").evaluate_all("links => links.map(link => link.pathname)")
        seen = {".".join(link.split("/")[2:4]) for link in links if len(link.split("/")) >= 5 and link.split("/")[3]}
        assert seen == set(models), role
        answer = page.goto(f"{site.url}/admin/ethics/governeditem/{sacred.pk}/change/")
        assert ("a protected name" in page.content()) == ("ethics.consent" in models), role
        assert answer is not None
    assert set(AuditEvent.objects.filter(event_type="sacred.viewed").values_list("actor_role", flat=True)) == {
        COMPLIANCE_OFFICER,
        "community steward",
    }


def test_an_officer_withdraws_a_consent_by_the_button_and_the_reason(site, open_page) -> None:
    consent = make_consent(make_practice().item)
    page = open_page()
    log_in(page, site, make_person(COMPLIANCE_OFFICER, password=PASSWORD).get_username(), PASSWORD)
    page.goto(f"{site.url}/admin/ethics/consent/{consent.pk}/change/")
    page.get_by_role("link", name="Withdraw consent").click()
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    page.fill("[name=reason]", "asked by the council")
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("The consent is withdrawn.")).to_be_visible()
    consent.refresh_from_db()
    assert consent.state == "withdrawn"
