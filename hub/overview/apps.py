from django.apps import AppConfig


class OverviewConfig(AppConfig):
    name = "hub.overview"
    label = "overview"
