"""What is kept from session to session: contents, verified actions, and the builds ever seen."""
