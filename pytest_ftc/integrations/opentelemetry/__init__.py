"""Traces and metrics for OpenTelemetry.

A session writes its spans to files (`spool`).  A process of its own (`sender`) reads them and sends them: only that one
imports OpenTelemetry, so neither its imports nor a collector that does not answer are felt by tests.  Metrics are sent
by the same process.
"""
