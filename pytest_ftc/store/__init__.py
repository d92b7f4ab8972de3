"""Data kept between sessions: contents, verified actions, and the history of builds."""
