"""From differences to causes, commands and remedies.  Nothing here builds: `pytest_ftc.diagnosis.diagnose` does."""
