"""Where a session ran: its repository and its CI service."""
