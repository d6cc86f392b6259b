"""Routes of the compliance desk."""

from django.urls import path

from ethics.desk import alert_views, event_views, overview_views, practice_views, saved_filter_views

app_name = "desk"

urlpatterns = [
    path("", overview_views.overview, name="overview"),
    path("events/", event_views.event_list, name="events"),
    path("events/download/<str:form>/", event_views.event_download, name="download"),
    path("events/<uuid:event_id>/", event_views.event_detail, name="event"),
    path("practices/<uuid:public_id>/", practice_views.practice_history, name="practice"),
    path("alerts/", alert_views.alert_list, name="alerts"),
    path("alerts/<str:key>/", alert_views.alert_detail, name="alert"),
    path("filters/", saved_filter_views.filter_list, name="filters"),
    path("filters/save/", saved_filter_views.filter_add, name="filter-save"),
    path("filters/<uuid:public_id>/remove/", saved_filter_views.filter_delete, name="filter-remove"),
]
