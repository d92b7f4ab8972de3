"""Names of months and days as date(1) prints them, by language: glibc's localedata/locales."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "et": "jaanuar veebruar märts aprill mai juuni juuli august september oktoober november detsember",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "tr": "Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
}
_SHORT_MONTHS = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "et": "jaan veebr märts apr mai juuni juuli aug sept okt nov dets",
    "de": "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
    "tr": "Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara",
    "fr": "janv. févr. mars avril mai juin juil. août sept. oct. nov. déc.",
    "es": "ene feb mar abr may jun jul ago sep oct nov dic",
    "it": "gen feb mar apr mag giu lug ago set ott nov dic",
    "nl": "jan feb mrt apr mei jun jul aug sep okt nov dec",
}
_DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "et": "esmaspäev teisipäev kolmapäev neljapäev reede laupäev pühapäev",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "tr": "Pazartesi Salı Çarşamba Perşembe Cuma Cumartesi Pazar",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    "ja": "月曜日 火曜日 水曜日 木曜日 金曜日 土曜日 日曜日",
}
_SHORT_DAYS = {
    "en": "Mon Tue Wed Thu Fri Sat Sun",
    "et": "E T K N R L P",
    "de": "Mo Di Mi Do Fr Sa So",
    "tr": "Pzt Sal Çrş Prş Cum Cmt Paz",
    "fr": "lun. mar. mer. jeu. ven. sam. dim.",
    "es": "lun mar mié jue vie sáb dom",
    "it": "lun mar mer gio ven sab dom",
    "nl": "ma di wo do vr za zo",
    "ja": "月 火 水 木 金 土 日",
}

Name = tuple[str, int]
"""A language, and which month of the year or day of the week it is, counted from 1."""


@cache
def month_names() -> dict[bytes, tuple[Name, ...]]:
    """Return what each name of a month stands for, without its last dot."""
    return _read(_MONTHS, _SHORT_MONTHS)


@cache
def day_names() -> dict[bytes, tuple[Name, ...]]:
    """Return what each name of a day of the week stands for, Monday first, without its last dot."""
    return _read(_DAYS, _SHORT_DAYS)


def _read(*tables: dict[str, str]) -> dict[bytes, tuple[Name, ...]]:
    names: dict[bytes, tuple[Name, ...]] = {}
    for word, name in _entries(*tables):
        for spelling in dict.fromkeys((word, word.capitalize(), word.upper())):
            key = spelling.rstrip(".").encode()
            names[key] = (*names.get(key, ()), name)
    return names


def _entries(*tables: dict[str, str]) -> Iterator[tuple[str, Name]]:
    for table in tables:
        for language, words in table.items():
            yield from ((word, (language, number)) for number, word in enumerate(words.split(), start=1))
