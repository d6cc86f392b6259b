"""The build fails when code reads governed knowledge past the policy: a view, serializer, export, admin, command or task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, Group
from django.db import models
from django.test import RequestFactory

from ethics.admin.base import PlatformAdmin
from ethics.admin.visibility import WITHHELD_READERS
from ethics.models import Consent, GovernedItem
from tests.governance.gated_reads import Governed, SourceFile, UngatedRead, ungated_reads

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ethics", "correlations", "genomepath", "neurobotanica")

# 'path::function' to how many ungated reads it holds and why. '*' stands for a whole module and any number.
ALLOWED: dict[str, tuple[int, str]] = {
    "ethics/querysets.py::*": (0, "is the gate"),
    "correlations/querysets.py::*": (0, "fetches, for rows that the gate has let through, the facts it decided on"),
    "ethics/consent.py::*": (0, "records decisions over items; hands out public ids alone"),
    "ethics/consent_conflicts.py::*": (0, "finds what contradicts a new consent, for those who record it"),
    "ethics/status_lowering.py::*": (0, "locks the item whose status it changes"),
    "ethics/stewardship.py::*": (0, "locks the item whose status it changes"),
    "ethics/expiry.py::expired_consents_react": (1, "finds the consents that ended; hands out public ids alone"),
    "ethics/withdrawals.py::withdrawal_open": (1, "public ids and communities of what a decision took out of use"),
    "ethics/attribution.py::attribution_for": (1, "is the gate of one item: decides before it reads the labels"),
    "genomepath/prediction_restoring.py::_shown_without_prediction": (
        1,
        "asks for existence alone, of practices that passed the gate",
    ),
    "ethics/admin/history.py::field_history": (1, "the record comes from the page's own gated queryset"),
    "ethics/tracked_changes.py::*": (0, "counts versions, and gates each row of a history before it shows a value"),
    "ethics/admin/visibility.py::visible_items": (
        1,
        "is the gate of the admin: all items of their communities for those who answer for them",
    ),
    "ethics/admin/why.py::_explained": (
        1,
        "explains a decision to stewards and officers; the page is closed to others",
    ),
    "ethics/admin/why.py::_labels_behind": (1, "the same page"),
    "ethics/desk/alert_sources.py::_expiring_consents": (1, "names consents to officers, who see every one"),
    "ethics/desk/attribution_history.py::_versions": (1, "for officers; texts of sacred items are left out"),
    "ethics/desk/practice_views.py::practice_history": (1, "public id, community and status, for officers alone"),
    "correlations/admin/evidence.py::shown_evidence": (
        1,
        "asks for existence alone, once with and once without the gate",
    ),
    "correlations/loading/practices.py::bundled_practices": (1, "loads the bundled data; shows nothing"),
    "correlations/loading/correlations.py::load_correlations": (1, "loads the bundled data; shows nothing"),
    "correlations/loading/governance.py::load_placeholders": (1, "loads the bundled data; shows nothing"),
    "correlations/loading/practices.py::load_practices": (
        1,
        "loads the bundled data; a taken slug must not be taken twice",
    ),
    "correlations/curation.py::correlation_set_status": (1, "locks the row that a gated page gave"),
    "correlations/importing/accept_correlation.py::PendingCorrelations.__post_init__": (
        1,
        "keys that are stored already",
    ),
    "correlations/importing/accept_correlation.py::PendingCorrelations._practice": (
        1,
        "a dictionary of permitted rows",
    ),
    "correlations/importing/accept_correlation.py::PendingCorrelations.write": (
        1,
        "fills doses of permitted practices",
    ),
    "correlations/importing/accept_practice.py::_accept_sacred": (
        2,
        "must not store a sacred record twice; shows nothing",
    ),
    "correlations/importing/catalogue.py::Catalogue.__init__": (2, "slugs and protected names that no import may take"),
    "correlations/importing/catalogue.py::Catalogue._known_practices": (
        1,
        "tells withheld from open rows; shows neither",
    ),
    "correlations/importing/phase3.py::_Import._record": (1, "a dictionary of permitted rows"),
    "genomepath/answers.py::_approved_correlations": (1, "of practices that the caller has passed through the gate"),
    "genomepath/answers.py::_practice_content": (1, "of a practice whose attribution the gate has given"),
    "genomepath/catalogue.py::_stands_with_a_practice": (3, "asks for existence alone, to leave out what is withheld"),
    "genomepath/explanations.py::_uses_of": (1, "of a practice that the gate has let through"),
    "genomepath/score_parts.py::_indications": (1, "of a practice that the gate has let through"),
    "genomepath/community_statement.py::_items": (1, "counts uses for stewards and officers; shows no item"),
    "genomepath/consent_periods.py::next_consent_boundary": (1, "reads one moment, of all consents"),
    "genomepath/ethics_scan.py::_texts_of_items": (4, "must know what is withheld to look for it; repeats no text"),
    "genomepath/ethics_scan.py::withheld_texts": (1, "must know what is withheld to look for it; repeats no text"),
    "genomepath/export_records.py::export_record_add": (1, "the communities of an export that the gate has built"),
    "genomepath/publication.py::predictions_publish": (2, "stores what every read filters again"),
    "genomepath/publication.py::_publishable": (1, "finds what a withdrawal concerned, to leave it out"),
    "genomepath/registry.py::model_quarantine": (1, "deletes"),
    "genomepath/asked_practice.py::asked_practice": (2, "the public id of a refused item, for the audit log alone"),
    "genomepath/asked_practice.py::_decoys": (2, "primary keys that make the work equal; none is shown"),
    "genomepath/snapshots.py::_exclusions": (1, "public ids and reasons, for the audit log alone"),
    "genomepath/snapshots.py::_positioned_indications": (1, "of a practice that the gate has let through"),
    "genomepath/text_admission.py::_names": (2, "the names that a text may not hold; answers with public ids alone"),
    "genomepath/text_admission.py::_views": (1, "reads the fields of a practice to compare them; shows nothing"),
    "genomepath/text_admission.py::_with_fields": (1, "fetches them"),
    "genomepath/text_admission.py::_withheld": (1, "what a text may not come close to; answers with public ids alone"),
    "genomepath/withdrawal_artefacts.py::concerned_snapshots": (1, "must know what is withheld to find its files"),
    "genomepath/withdrawal_processing.py::_delete_predictions": (1, "deletes"),
    "genomepath/work.py::_labels_by_rule": (1, "asks for existence alone"),
    "neurobotanica/serving_bench/hidden_timing.py::_absent_like": (1, "asks for existence alone"),
    "neurobotanica/serving_bench/hidden_timing.py::measure_hidden_timing": (
        1,
        "asks for withheld slugs and expects 404",
    ),
    "neurobotanica/roles.py::create_roles": (2, "groups and permissions"),
    "neurobotanica/roles.py::remove_roles": (1, "groups"),
}


def governed_models() -> set[type[models.Model]]:
    """Governed items, consents, and every model whose rows lead to them, with the histories that pghistory keeps."""
    found: set[type[models.Model]] = {GovernedItem, Consent}
    own = [model for package in PACKAGES[:3] for model in apps.get_app_config(package).get_models()]
    grown = True
    while grown:
        more = {model for model in own for relation in _forward(model) if relation.related_model in found}
        grown = not more <= found
        found |= more
    return found


def _forward(model: type[models.Model]) -> Iterator[models.Field]:
    yield from (entry for entry in model._meta.get_fields() if entry.is_relation and not entry.auto_created)  # type: ignore[misc]


def governed() -> Governed:
    """What the checker must know, from the models themselves."""
    found = governed_models()
    crossings = {"events"}
    for model in (model for package in PACKAGES[:3] for model in apps.get_app_config(package).get_models()):
        if model in found:
            continue
        for relation in model._meta.get_fields():
            if relation.is_relation and relation.related_model in found:
                accessor = relation.get_accessor_name() if hasattr(relation, "get_accessor_name") else None
                crossings |= {name for name in (relation.name, accessor) if name and name != "+"}
    return Governed(
        models=frozenset(model.__name__ for model in found),
        crossings=frozenset(crossings),
        tables=frozenset(model._meta.db_table for model in found),
    )


def sources() -> list[SourceFile]:
    """Every file that runs in the platform; migrations only shape tables."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return [
        SourceFile.parse(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in paths
        if "migrations" not in path.parts
    ]


def unexplained(found: list[UngatedRead]) -> list[str]:
    """The reads that no entry of the list explains, and entries whose number is not the number of reads."""
    counts = Counter(_entry(read) for read in found)
    extra = [f"{read.where} line {read.line}: {read.what}" for read in found if _entry(read) not in ALLOWED]
    wrong = [
        f"{entry}: {counts[entry]} ungated reads, {number} allowed"
        for entry, (number, _) in ALLOWED.items()
        if (counts[entry] != number if number else not counts[entry])
    ]
    return extra + wrong


def _entry(read: UngatedRead) -> str:
    module = f"{read.where.partition('::')[0]}::*"
    return module if module in ALLOWED else read.where


def test_every_read_of_a_governed_model_passes_the_policy_or_has_a_reason() -> None:
    """A line here means: put ``permitted_for`` (or another gate) into that chain, or explain it in ALLOWED."""
    knows = governed()
    assert unexplained([read for source in sources() for read in ungated_reads(source, knows)]) == []


def test_a_stale_or_outgrown_exception_is_reported() -> None:
    """No source at all: every entry of the list is stale."""
    assert len(unexplained([])) == len(ALLOWED)
    entry = "genomepath/publication.py::predictions_publish"
    reads = [UngatedRead(entry, line, "Practice.objects") for line in (1, 2, 3)]
    assert f"{entry}: 3 ungated reads, 2 allowed" in unexplained(reads)


def test_the_governed_models_are_found_from_the_models_themselves() -> None:
    knows = governed()
    assert {
        "GovernedItem", "Consent", "ConsentItem", "Attribution", "ItemLabel", "Practice", "PracticeEvent",
        "PracticeIndication", "DosageProfile", "Correlation", "CorrelationEvidence", "Prediction",
    } <= knows.models  # fmt: skip
    assert not {"GenomicTarget", "Community", "ApiClient", "AuditEvent", "ModelVersion"} & knows.models
    assert {"practices", "correlations", "predictions", "items", "events"} <= knows.crossings


LEAKS = {
    "view": """
class TitlesView(ClientView):
    def get(self, request):
        return Response([practice.title for practice in Practice.objects.filter(tradition=request.GET["of"])])
""",
    "view gated in another line": """
def titles(request):
    known = Practice.objects.all()
    permitted = Practice.objects.permitted_for(Purpose.DISPLAY, audience)
    return JsonResponse({"titles": [practice.title for practice in known]})
""",
    "view under another name": """
from correlations.models import Practice as Documented
def count(request):
    return HttpResponse(Documented._default_manager.count())
""",
    "view that keeps what is refused": """
def refused(request):
    rows = Practice.objects.exclude(item__in=GovernedItem.objects.permitted_for(Purpose.DISPLAY, audience))
    return HttpResponse(rows)
""",
    "generic view": """
class PracticeDetail(DetailView):
    model = Practice
""",
    "address": "urlpatterns = [path('p/<pk>', DetailView.as_view(model=Practice))]",
    "shortcut": """
def page(request, slug):
    return render(request, "practice.html", {"practice": get_object_or_404(Practice, slug=slug)})
""",
    "serializer": """
class PracticeSerializer(ModelSerializer):
    class Meta:
        model = Practice
        fields = "__all__"
""",
    "export": """
def export(target, file):
    for correlation in target.correlations.select_related("practice"):
        file.write(correlation.practice.title)
""",
    "export resource": """
class CorrelationResource(resources.ModelResource):
    class Meta:
        model = Correlation
""",
    "export by look-up": """
def export(writer):
    writer.writerows(GenomicTarget.objects.values_list("symbol", "correlations__practice__title"))
""",
    "task": """
@shared_task
def mail_practices():
    return list(apps.get_model("correlations", "Practice").objects.values("title"))
""",
    "command": """
class Command(BaseCommand):
    def handle(self, *args, **options):
        self.stdout.write(str(Evidence.objects.get(key=options["key"]).practices.all()))
""",
    "raw SQL": """
def titles(cursor):
    cursor.execute("SELECT title FROM correlations_practice")
""",
    "history": """
def versions(request):
    return JsonResponse({"rows": list(PracticeEvent.objects.values("title"))})
""",
    "form": """
class Ask(forms.Form):
    practice = forms.ModelChoiceField(queryset=Practice.objects.order_by("title"))
""",
}

INNOCENT = {
    "gate in the chain": "rows = Practice.objects.filter(slug=slug).permitted_for(Purpose.DISPLAY, audience).first()",
    "gate in the filter": """
def shown(user):
    return Correlation.objects.select_related("target").filter(practice__item__in=visible_items(user))
""",
    "relation through the gate": "rows = target.correlations.permitted_for(Purpose.DISPLAY, audience).all()",
    "ungoverned model": "rows = GenomicTarget.objects.filter(symbol=symbol)",
    "what is written": """
def write(rows):
    Practice.objects.bulk_create(rows)
    return Attribution.objects.create(item=item, statement=statement)
""",
    "dictionary": "pairs = [key for key, value in found.items()]",
    "nothing at all": "items = forms.ModelMultipleChoiceField(GovernedItem.objects.none())",
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_deliberate_leak_is_caught(name: str) -> None:
    assert ungated_reads(SourceFile.parse("genomepath/leak.py", LEAKS[name]), governed())


@pytest.mark.parametrize("name", INNOCENT)
def test_an_innocent_read_is_left_alone(name: str) -> None:
    assert ungated_reads(SourceFile.parse("genomepath/innocent.py", INNOCENT[name]), governed()) == []


def test_a_leak_in_an_existing_file_fails_the_build() -> None:
    path = "genomepath/api/views.py"
    text = (ROOT / path).read_text(encoding="utf-8") + LEAKS["view"]
    reads = ungated_reads(SourceFile.parse(path, text), governed())
    assert [read.where for read in reads] == [f"{path}::TitlesView.get"]


@pytest.mark.django_db
def test_every_admin_page_of_a_governed_model_is_narrowed_by_the_policy() -> None:
    """Or closed to every role but those that answer for withheld items, as consents are."""
    for model in governed_models() & admin.site._registry.keys():
        assert _is_narrowed(admin.site._registry[model]) or not _roles_that_view(model) - WITHHELD_READERS, model


def test_rows_of_governed_models_stand_only_under_governed_parents() -> None:
    """A page of an ungoverned record, such as a target, opens for everybody: rows under it would skip the policy."""
    known = governed_models()
    for parent, page in admin.site._registry.items():
        for inline in page.inlines:
            assert inline.model not in known or parent in known, (parent, inline)


def test_an_admin_page_that_shows_everything_is_caught() -> None:
    class Everything(admin.ModelAdmin):
        pass

    class Unnarrowed(PlatformAdmin):
        pass

    class OwnQueryset(PlatformAdmin):
        item_path = "item"

        def get_queryset(self, request):
            return super(PlatformAdmin, self).get_queryset(request)

    model = next(model for model in governed_models() if model.__name__ == "Practice")
    assert not any(_is_narrowed(page(model, admin.site)) for page in (Everything, Unnarrowed, OwnQueryset))


def _roles_that_view(model: type[models.Model]) -> set[str]:
    codename = f"view_{model._meta.model_name}"
    return set(Group.objects.filter(permissions__codename=codename).values_list("name", flat=True))


def _is_narrowed(page: admin.ModelAdmin) -> bool:
    """Whether the rows of an admin page differ from all rows by a condition, for somebody without any role."""
    if not isinstance(page, PlatformAdmin):
        return False
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    return "WHERE" in str(page.get_queryset(request).query)
