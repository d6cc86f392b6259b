"""Routes of the community statements."""

from django.urls import path

from genomepath import statement_views

urlpatterns = [
    path("statements/", statement_views.statement_list, name="community-statements"),
    path("statements/<slug:slug>/", statement_views.statement_page, name="community-statement"),
]
