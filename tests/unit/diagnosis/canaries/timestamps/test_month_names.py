"""Names of months by language."""

from pytest_ftc.diagnosis.canaries.timestamps.month_names import languages_of, month_names


def test_a_name_is_known_in_every_usual_spelling():
    assert all(12 in {n for _, n in month_names()[name]} for name in (b"Dez", b"dez", b"DEZ"))


def test_every_name_stands_for_a_month():
    assert all(1 <= number <= 12 for names in month_names().values() for _, number in names)


def test_what_is_no_name_is_of_no_language():
    assert languages_of(b"Smarch") == frozenset()
    assert languages_of(b"Dez")
