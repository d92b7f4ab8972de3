"""Comparing what two builds left: manifests first, then the insides of what differs."""
