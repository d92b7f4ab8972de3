"""Rewriting archives and other containers deterministically: fixed order, timestamps, owners and modes."""
