"""'Train' pressed in the admin: a real worker carries it out, the page moves, and the version is promoted."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from ethics.admin.visibility import ML_ENGINEER
from genomepath.models import ModelVersion, TrainingRun
from tests.admin_people import make_person
from tests.browser.conftest import log_in
from tests.factories import make_training_catalogue

pytestmark = pytest.mark.browser
PASSWORD = "a long pass phrase"
SECONDS = 1000
EPOCHS = 12


def test_an_engineer_trains_evaluates_and_promotes(site, open_page) -> None:
    make_training_catalogue()
    site.start_worker()
    page = open_page()
    log_in(page, site, make_person(ML_ENGINEER, "engineer", PASSWORD).get_username(), PASSWORD)

    page.goto(f"{site.url}/admin/genomepath/trainingrun/")
    page.get_by_role("link", name="Train", exact=True).click()
    page.select_option("[name=preset]", "small")
    page.fill("[name=epochs]", str(EPOCHS))
    page.get_by_role("button", name="Train").click()

    progress, state = page.locator("#run-progress-text"), page.locator("#run-state")
    page.evaluate("window.neverReloaded = true")
    expect(progress).to_have_text(re.compile(rf"^\d+ of {EPOCHS}$"), timeout=180 * SECONDS)
    assert page.evaluate("window.neverReloaded"), "the page moves by itself"
    expect(progress).to_have_text(re.compile(r"^([1-9]\d*) of \1$"), timeout=180 * SECONDS)
    expect(state).to_have_text("succeeded", timeout=240 * SECONDS)
    expect(page.locator("#run-log")).to_contain_text(f"Epoch {progress.inner_text().split()[0]}:")

    page.get_by_role("link", name="Open the model version").click()
    evaluation = TrainingRun.objects.get(kind="evaluation")
    page.goto(f"{site.url}/admin/genomepath/trainingrun/{evaluation.pk}/change/")
    expect(page.locator("#run-state")).to_have_text("succeeded", timeout=240 * SECONDS)

    version = ModelVersion.objects.get()
    page.goto(f"{site.url}/admin/genomepath/modelversion/{version.pk}/change/")
    expect(page.get_by_text("leakage checks", exact=True)).to_be_visible()
    page.get_by_role("link", name="Promote").click()
    page.get_by_role("button", name="Promote").click()
    version.refresh_from_db()
    if version.gate["passed"]:
        expect(page.get_by_text("is in service.")).to_be_visible()
        assert version.state == "active"
        assert version.predictions.exists()
    else:
        failed = [rule for rule in version.gate["rules"] if not rule["passed"]]
        for rule in failed:
            expect(page.get_by_role("alert")).to_contain_text(rule["name"])
        assert version.state == "candidate"
