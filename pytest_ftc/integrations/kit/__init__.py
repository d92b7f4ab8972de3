"""The operations kit: what one gives to Prometheus, Alertmanager, Grafana and the people on call."""
