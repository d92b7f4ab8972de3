"""The other plugins that are installed for tests/functional/test_friends.py; all other tests do without them."""

FRIENDS = ("anyio", "asyncio", "pytest_cov", "randomly", "rerunfailures", "sugar", "timeout")


def without_friends(*wanted: str) -> str:
    """Return the options by which a session does without these plugins, but for those `wanted`."""
    return " ".join(f"-p no:{name}" for name in FRIENDS if name not in wanted)
