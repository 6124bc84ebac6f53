"""What operators see of a running process: metrics, traces, the ids that join them to the logs.

Prometheus' client and OpenTelemetry are known here and nowhere else. Nothing here takes content:
names, ids, counts and seconds only, and metrics no ids either.
"""
