"""The page of the training report reads well on a desk and a phone, in light and dark, and asks nobody for anything."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command
from playwright.sync_api import sync_playwright

from genomepath.evaluation_report import PAGE
from tests.browser.conftest import CHROMIUM_ARGUMENTS, chromium

__all__ = ["chromium"]  # the fixture of the browser tests

pytestmark = [pytest.mark.browser, pytest.mark.django_db]


@pytest.fixture
def page_file(reportable, tmp_path):
    call_command("evaluate_genomepath", "--stored", "--report", str(tmp_path / "report"))
    return tmp_path / "report" / PAGE


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_screen_and_has_no_fault_that_axe_knows(request, page_file, width, scheme):
    asked = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=request.getfixturevalue("chromium"), args=CHROMIUM_ARGUMENTS
        )
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(page_file.as_uri())
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        faults = Axe().run(page).response["violations"]
        browser.close()

    assert overflow <= 0
    assert [(fault["id"], fault["nodes"][0]["html"]) for fault in faults] == []
    assert asked == [page_file.as_uri()]
