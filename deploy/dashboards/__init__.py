"""Dashboards for Grafana on the services' metrics: `python -m deploy.dashboards` writes them."""
