"""A curator changes records in a real browser: the reason stands beside the button, and nothing is saved without it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from correlations.models import Correlation, Practice
from ethics.admin.visibility import CURATOR
from ethics.models import AuditEvent
from tests.admin_people import make_person
from tests.browser.conftest import Site, log_in
from tests.factories import make_correlation, make_practice, make_target

pytestmark = pytest.mark.browser
LABEL = "Reason for this change"


@pytest.fixture
def page(site: Site, open_page):
    make_person(CURATOR, "curator", password="a-synthetic-password")
    opened = open_page(viewport={"width": 1280, "height": 900})
    log_in(opened, site, "curator", "a-synthetic-password")
    return opened


def shoot(page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_a_practice_is_changed_with_a_reason(site: Site, page) -> None:
    practice = make_practice(region="a region")
    page.goto(f"{site.url}/admin/correlations/practice/{practice.pk}/change/")
    page.fill("[name=region]", "another region")
    shoot(page, "change-form")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".change-reason")).to_contain_text("This field is required")
    shoot(page, "change-form-refused")
    page.get_by_label(LABEL).fill("a better source")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"{site.url}/admin/correlations/practice/")

    assert Practice.objects.get().region == "another region"
    assert {event.reason for event in AuditEvent.objects.filter(event_type="practice.updated")} == {"a better source"}


def test_correlations_are_approved_in_bulk_with_a_reason(site: Site, page) -> None:
    row = make_correlation(make_practice(), make_target(), status="draft")
    page.goto(f"{site.url}/admin/correlations/correlation/")
    page.locator(f"input.action-select[value='{row.pk}']").check()
    page.locator("select[name=action]").select_option("approve")
    shoot(page, "bulk-action")
    page.get_by_label(LABEL).fill("read by two people")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("1 correlations are now in status")).to_be_visible()

    assert Correlation.objects.get().status == "approved"
    assert AuditEvent.objects.get(event_type="correlation.reviewed").reason == "read by two people"


def test_the_page_before_a_deletion_asks_for_the_reason(site: Site, page) -> None:
    indication = make_practice().practice_indications.get()
    page.goto(f"{site.url}/admin/correlations/practiceindication/{indication.pk}/delete/")
    shoot(page, "delete-page")
    page.get_by_label(LABEL).fill("entered twice")
    page.get_by_role("button", name="Yes").click()
    page.wait_for_url(f"{site.url}/admin/correlations/practiceindication/")

    assert AuditEvent.objects.get(event_type="curation.changed").reason == "entered twice"
