"""Verifying an artifact, which results in a `Verification`, and replaying one of its builds."""
