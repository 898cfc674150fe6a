"""How the service is: Prometheus metrics, health over HTTP, and what systemd is told."""
