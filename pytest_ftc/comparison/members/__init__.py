"""Inside the outputs: containers walked down to the member, and in it the place, that differs."""
