"""Proposals to lower a sacred status. One person makes them on the item's page, another decides here."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from unfold.decorators import action

from ethics.admin.base import ViewOnlyAdmin
from ethics.admin.form_fields import UnfoldAdminSelectWidget, reason_field, take_service_errors
from ethics.admin.form_page import ConfirmationForm, FormPage, form_page, object_url
from ethics.admin.visibility import sees_withheld
from ethics.models import StatusLoweringRequest
from ethics.models.choices import choices_of
from ethics.policy import SacredStatus
from ethics.status_lowering import status_lowering_confirm, status_lowering_reject

PROPOSE_INTRO = (
    "A lower status opens the item to more uses, so it takes two people: you propose it, and another steward or officer "
    "confirms or rejects it. Until then nothing changes."
)
_LOWER = [choice for choice in choices_of(SacredStatus) if choice[0] != SacredStatus.SACRED.value]


class LoweringForm(forms.Form):
    """What is proposed, and why."""

    to_status = forms.ChoiceField(label="Lower to", choices=_LOWER, widget=UnfoldAdminSelectWidget)
    reason = reason_field()


class RejectionForm(forms.Form):
    """Why the status stays."""

    reason = reason_field()


@admin.register(StatusLoweringRequest)
class StatusLoweringRequestAdmin(ViewOnlyAdmin):
    """See the module."""

    item_path = "item"
    shows_withheld = True
    list_display = ("item", "from_status", "proposed_status", "state", "proposed_by", "proposed_at", "decided_by")
    list_filter = ("state",)
    search_fields = ("=public_id", "=item__public_id", "proposed_by")
    list_select_related = ("item",)
    fields = (
        "public_id", "item", "from_status", "proposed_status", "state", "reason", "proposed_by", "proposed_at",
        "decided_by", "decided_at", "decision_reason",
    )  # fmt: skip
    readonly_fields = ("public_id", "proposed_status")
    actions_detail = ("confirm", "reject")

    @admin.display(description="To status")
    def proposed_status(self, proposal: StatusLoweringRequest) -> str:
        """In words: the theme shows the choice 'None' as if nothing stood there."""
        return "not protected" if proposal.to_status == SacredStatus.NONE else proposal.to_status

    def has_checker_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whether the person may decide on proposals, if they made none themselves."""
        return sees_withheld(request.user) and bool(request.user.has_perm("ethics.change_statusloweringrequest"))

    @action(description="Confirm", url_path="confirm", permissions=["checker"])
    def confirm(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lower the status as proposed."""
        proposal = self.record_or_404(request, object_id)
        page = FormPage(
            title=f"Lower the status from {proposal.from_status} to {proposal.to_status}?",
            intro=f"{proposal.proposed_by} proposed it: {proposal.reason}",
            submit_label="Confirm",
            dangerous=True,
        )
        return self._decide(
            request, page, ConfirmationForm(_sent(request)), proposal,
            lambda data: status_lowering_confirm(request=proposal, decided_by=request.user.get_username()),
        )  # fmt: skip

    @action(description="Reject", url_path="reject", permissions=["checker"])
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Leave the status as it is."""
        proposal = self.record_or_404(request, object_id)
        page = FormPage(
            title=f"Leave the status at {proposal.from_status}?",
            intro=f"{proposal.proposed_by} proposed to lower it: {proposal.reason}",
            submit_label="Reject",
        )
        return self._decide(
            request, page, RejectionForm(_sent(request)), proposal,
            lambda data: status_lowering_reject(
                request=proposal, decided_by=request.user.get_username(), reason=data["reason"]
            ),
        )  # fmt: skip

    def _decide(
        self,
        request: HttpRequest,
        page: FormPage,
        form: forms.Form,
        proposal: StatusLoweringRequest,
        decide: Callable[[dict], StatusLoweringRequest],
    ) -> HttpResponse:
        if form.is_valid():
            try:
                decided = decide(form.cleaned_data)
            except ValidationError as error:
                take_service_errors(form, error)
            else:
                messages.success(request, f"The proposal is {decided.state}.")
                return HttpResponseRedirect(object_url(proposal))
        return form_page(self, request, page, form, proposal)


def _sent(request: HttpRequest) -> QueryDict | None:
    """What was submitted. A confirmation may be submitted without any field."""
    return request.POST if request.method == "POST" else None
