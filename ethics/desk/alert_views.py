"""The pages of alerts: what is open, what was closed, and one alert with what officers said about it."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from ethics.desk.access import officers_only
from ethics.desk.alert_handling import TEXT_LENGTH, alert_annotate, alert_close
from ethics.desk.alerts import Alert, alert_sources, find_alert, open_alerts
from ethics.desk.notes import closings, notes_of

_SHOWN = 200


class NoteForm(forms.Form):
    """What an officer says about an alert, and what they saw of it."""

    text = forms.CharField(
        label="What you found or did",
        max_length=TEXT_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off", "aria-describedby": "note-help"}),
        error_messages={"required": "Say in a few words what you found or did."},
    )
    seen_until = forms.DateTimeField(widget=forms.HiddenInput)
    act = forms.ChoiceField(
        choices=[("annotate", "Add note"), ("close", "Close alert")],
        error_messages={"required": "Choose whether to add a note or to close the alert."},
    )


@officers_only
@require_safe
def alert_list(request: HttpRequest) -> HttpResponse:
    """Open alerts, latest first, of one ``?kind=`` if given; and the latest closings with ``?state=closed``."""
    sources = alert_sources()
    kind, state = request.GET.get("kind", ""), request.GET.get("state", "open")
    error = (
        "" if kind in ("", *sources) and state in ("open", "closed") else "There is no such kind or state of alerts."
    )
    kind, state = (kind, state) if not error else ("", "open")
    context = {"sources": sources.values(), "kind": kind, "state": state, "error": error}
    if state == "closed":
        context["closings"] = [(sources.get(note.kind), note) for note in closings(kind)[:_SHOWN]]
    else:
        found = open_alerts(timezone.now(), kind)
        context["alerts"] = [(sources[alert.kind], alert) for alert in found.alerts]
        context["cut"] = [sources[cut] for cut in found.cut]
    return render(request, "compliance/alerts.html", context, status=400 if error else 200)


@officers_only
@require_http_methods(["GET", "HEAD", "POST"])
def alert_detail(request: HttpRequest, key: str) -> HttpResponse:
    """One alert with its notes. Officers add a note or close it here, and change nothing else."""
    alert, notes = find_alert(key, timezone.now()), notes_of(key)
    if alert is None and not notes:
        raise Http404("No such alert.")
    closed = alert is None or any(note.closes and note.seen_until >= alert.latest_at for note in notes)
    form = NoteForm(request.POST) if request.method == "POST" else NoteForm(initial=_shown(alert))
    if request.method == "POST" and alert is not None and form.is_valid() and _handled(request, alert, form):
        return HttpResponseRedirect(reverse("desk:alert", args=[key]))
    context = {
        "alert": alert,
        "key": key,
        "source": alert_sources().get(key.partition(":")[0]),
        "notes": notes,
        "closed": closed,
        "form": form,
    }
    return render(request, "compliance/alert.html", context, status=400 if form.errors else 200)


def _shown(alert: Alert | None) -> dict[str, str]:
    return {"seen_until": alert.latest_at.isoformat()} if alert is not None else {}


def _handled(request: HttpRequest, alert: Alert, form: NoteForm) -> bool:
    """Whether the note is written; what speaks against it stands at the form."""
    text = form.cleaned_data["text"]
    try:
        if form.cleaned_data["act"] == "close":
            alert_close(alert=alert, text=text, seen_until=form.cleaned_data["seen_until"])
            messages.success(request, "The alert is closed. The log holds who closed it, and why.")
        else:
            alert_annotate(alert=alert, text=text)
            messages.success(request, "The note is added. The log holds it.")
    except ValidationError as error:
        form.add_error(None, error)
        return False
    return True
