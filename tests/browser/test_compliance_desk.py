"""An officer's day at the desk in a real browser, and what an accessibility checker finds on its pages."""

from __future__ import annotations

import csv
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Download, Page, expect

from ethics import audit
from ethics.admin.visibility import COMPLIANCE_OFFICER
from ethics.audit import AuditContext
from ethics.audit.sealing import seal_round
from ethics.clients import client_create
from ethics.models import AuditEvent, GovernedItem
from ethics.policy import Audience, Purpose
from ethics.records import governance_record_save
from tests.admin_people import make_consent, make_person, make_sacred
from tests.browser.conftest import Site, log_in
from tests.factories import make_item, make_model_version

pytestmark = pytest.mark.browser
PASSWORD = "a long pass phrase"
WIDTHS = {"desk": 1280, "phone": 390}


@pytest.fixture
def sacred_item(committed_database, django_db_blocker) -> GovernedItem:
    """Somebody asked for a sacred item, a client was served, a steward changed a statement; all is sealed."""
    with django_db_blocker.unblock():
        sacred, item = make_sacred("a protected name"), make_item(display_label="A synthetic tea")
        dispensary = client_create(organisation="Green Leaf", audience=Audience.COMMERCIAL)
        context = AuditContext("Green Leaf", "commercial client", str(dispensary.public_id), "request-of-green-leaf")
        for _ in range(3):
            _record("prediction.refused", sacred, context)
            _record("prediction.served", item, context, communities=[item.community.slug], details={"count": 1})
        make_consent(item, valid_from=item.created_at, valid_until=item.created_at.replace(year=2099))
        make_model_version(state="quarantined", marked_at=item.created_at)
        with audit.audit_context(
            AuditContext("mira", "community steward", request_id="request-of-mira", reason="corrected by its community")
        ):
            item.attribution.statement = "Another statement"
            governance_record_save(instance=item.attribution, changed_fields=["statement"], created=False)
        seal_round()
    return sacred


def _record(kind: str, item: GovernedItem, context: AuditContext, *, communities=(), details=None) -> AuditEvent:
    return audit.record(
        kind,
        subjects=[item.public_id],
        communities=communities,
        purpose=Purpose.PREDICTION,
        model_sha256="0" * 64,
        details={"direction": "tk_to_genomic", **(details or {})},
        context=context,
    )


def _sign_in(page: Page, site: Site) -> None:
    log_in(page, site, make_person(COMPLIANCE_OFFICER, password=PASSWORD).get_username(), PASSWORD)
    page.goto(f"{site.url}/compliance/")


def _download(page: Page, name: str) -> Download:
    with page.expect_download() as download:
        page.get_by_role("link", name=name, exact=True).click()
    return download.value


def test_an_officers_day(sacred_item: GovernedItem, site: Site, open_page, tmp_path: Path) -> None:
    """From the alert to its events, to the proof of one, to the download of them all, to a pack that verifies anywhere."""
    page = open_page(viewport={"width": WIDTHS["desk"], "height": 900}, accept_downloads=True)
    _sign_in(page, site)
    page.get_by_role("link", name="A sacred item was asked for 3 times").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Blocked sacred requests")
    page.get_by_role("link", name="The requests").click()
    expect(page.get_by_role("heading", name="3 events")).to_be_visible()

    page.get_by_role("link", name="prediction.refused at").first.click()
    expect(page.get_by_text("in the signed log", exact=True)).to_be_visible()
    expect(page.get_by_text("Green Leaf").first).to_be_visible()
    page.go_back()

    listed = page.locator("tbody tr").count()
    _download(page, "CSV").save_as(tmp_path / "events.csv")
    with (tmp_path / "events.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == listed == 3
    assert {row["subjects"] for row in rows} == {str(sacred_item.public_id)}

    _download(page, "Evidence pack").save_as(tmp_path / "pack.zip")
    _verify_anywhere(tmp_path)

    page.goto(f"{site.url}/compliance/alerts/")
    page.get_by_role("link", name="A sacred item was asked for").click()
    page.get_by_label("What you found or did").fill("Called the dispensary; a misspelt name.")
    page.get_by_role("button", name="Close alert").click()
    expect(page.get_by_role("status")).to_contain_text("The alert is closed")
    page.goto(f"{site.url}/compliance/alerts/?kind=sacred")
    expect(page.get_by_text("Nothing calls for an officer")).to_be_visible()
    assert AuditEvent.objects.get(event_type="alert.closed").reason == "Called the dispensary; a misspelt name."


def _verify_anywhere(folder: Path) -> None:
    """The pack's own verifier in a Python that has nothing: no site packages, no environment, another folder."""
    with zipfile.ZipFile(folder / "pack.zip") as pack:
        pack.extractall(folder / "unpacked")
    [verifier] = (folder / "unpacked").rglob("verify.py")
    command = [sys.executable, "-I", "-S", str(verifier), str(folder / "pack.zip")]
    checked = subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_an_officer_keeps_a_filter_with_the_keyboard_alone(sacred_item: GovernedItem, site: Site, open_page) -> None:
    page = open_page()
    _sign_in(page, site)
    page.goto(f"{site.url}/compliance/events/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Community")).to_be_focused()
    page.get_by_label("Type").focus()
    page.keyboard.type("prediction.refused")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Search").press("Enter")
    expect(page.get_by_role("heading", name="3 events")).to_be_visible()
    page.get_by_text("Save this filter").press("Enter")
    page.get_by_label("Name").fill("Refusals")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("is kept")
    expect(page.get_by_role("link", name="Refusals")).to_be_visible()


def test_field_history_and_attribution_are_reached_from_an_event(
    sacred_item: GovernedItem, site: Site, open_page
) -> None:
    page = open_page()
    _sign_in(page, site)
    page.goto(f"{site.url}/compliance/events/?event_type=curation.changed&actor=mira")
    page.get_by_role("link", name="curation.changed at").click()
    changed = page.get_by_role("row", name="statement")
    expect(changed).to_contain_text("Another statement")
    page.locator("#fields-title + dl a[href*=practices]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A synthetic tea")
    expect(page.get_by_role("row", name="Another statement")).to_contain_text("mira")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS.keys())
def test_no_page_has_a_serious_fault_or_scrolls_sideways(
    width: int, scheme: str, sacred_item: GovernedItem, site: Site, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    _sign_in(page, site)
    item = GovernedItem.objects.get(display_label="A synthetic tea")
    changed = AuditEvent.objects.filter(event_type="curation.changed").latest("pk")
    page.goto(f"{site.url}/compliance/events/?actor=Green%20Leaf")
    page.get_by_text("Save this filter").click()
    page.get_by_label("Name").fill("Green Leaf")
    page.get_by_role("button", name="Save").click()
    for path in (
        "", "?days=365", "events/", "events/?since=yesterday&community=nothing", "events/?actor=nobody", "filters/",
        f"events/{changed.event_id}/", f"practices/{item.public_id}/", f"practices/{sacred_item.public_id}/", "alerts/",
        "alerts/?state=closed", f"alerts/sacred:{sacred_item.public_id}/",
    ):  # fmt: skip
        page.goto(f"{site.url}/compliance/{path}")
        for summary in page.locator("main summary").all():
            summary.click()
        found = Axe().run(page).response["violations"]
        assert [(path, fault["id"], fault["nodes"][0]["html"]) for fault in found if _is_serious(fault)] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_checker_would_find_a_fault(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.set_content("<title>A page</title><main><h1>A page</h1><input></main>")
    assert [fault["id"] for fault in Axe().run(page).response["violations"] if _is_serious(fault)]


def _is_serious(fault: dict) -> bool:
    return fault["impact"] in {"serious", "critical"}
