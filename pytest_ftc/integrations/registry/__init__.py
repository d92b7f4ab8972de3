"""Artifacts and their attestations in an OCI registry; requires the extra ``oci``."""
