"""Testing which variations are effective on this machine."""
