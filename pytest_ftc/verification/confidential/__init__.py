"""Protecting the secrets of builds."""
