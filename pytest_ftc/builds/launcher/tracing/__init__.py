"""Following the processes of a build: system calls, programs, and what they open."""
