"""Documents that others can check: in-toto statements, their envelopes and bundles, and an append-only log."""
