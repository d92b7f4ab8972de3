"""Compiles small locales for a few languages, because most containers have only C and English.

localedef(1) is part of glibc's base packages, but the sources that it compiles are not.  They are generated here, in
the format of locale(5): names of months and days, the decimal point, and the order of letters.  All other categories
are copied from C.UTF-8 if the machine has it.  A program with tables of its own (Java, ICU) uses only the language.
"""

from __future__ import annotations

import os
import shutil
import string
import subprocess
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

SYSTEM_LOCALES = "/usr/lib/locale"
"""Where glibc searches for locales, see locale(7)."""

_CHARACTERS = (range(1 << 16), range(0x1F000, 0x1FB00))
"""Characters with a position in the order: the Basic Multilingual Plane, and pictographs."""
_SURROGATES = range(0xD800, 0xE000)

_SECONDS = 30
"""Timeout of localedef, which normally takes milliseconds."""


_LATIN = string.ascii_lowercase


class _Language(NamedTuple):
    months: str
    short_months: str
    days: str
    date: str
    decimal_point: str = ","
    letters: str = _LATIN
    """The letters in order."""


# Words as in glibc's localedata/locales; findings recognise the language by them.
_LANGUAGES = {
    "et_EE": _Language(
        "jaanuar veebruar märts aprill mai juuni juuli august september oktoober november detsember",
        "jaan veebr märts apr mai juuni juuli aug sept okt nov dets",
        "pühapäev esmaspäev teisipäev kolmapäev neljapäev reede laupäev",
        "%d.%m.%Y",
        letters="abcdefghijklmnopqrsšzžtuvwõäöüxy",
    ),
    "de_DE": _Language(
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
        "Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag",
        "%d.%m.%Y",
    ),
    "tr_TR": _Language(
        "Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık",
        "Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara",
        "Pazar Pazartesi Salı Çarşamba Perşembe Cuma Cumartesi",
        "%d-%m-%Y",
    ),
    "ja_JP": _Language(
        "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
        "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
        "日曜日 月曜日 火曜日 水曜日 木曜日 金曜日 土曜日",
        "%Y年%m月%d日",
        decimal_point=".",
    ),
}


def compile_locales(folder: Path, installed: Iterable[str]) -> tuple[str, ...]:
    """Compile the languages that are not `installed` into the new `folder`, and return the names of the locales.

    Locales that cannot be compiled or do not work here are omitted: all of them without localedef, as with musl, or
    without space for them.
    """
    try:
        return _compile_missing(folder, installed)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        return ()


def _compile_missing(folder: Path, installed: Iterable[str]) -> tuple[str, ...]:
    present = {name.partition(".")[0] for name in installed if "utf" in name.lower()}
    names = [language for language in _LANGUAGES if language not in present]
    if not (names and shutil.which("localedef") and Path(SYSTEM_LOCALES).is_dir()):
        return ()
    scratch = folder / "sources"
    scratch.mkdir(parents=True)
    (scratch / "charmap").write_text("\n".join(_charmap()), encoding="ascii")
    # The order of letters takes nearly all of the time, so languages with the same order share it.
    groups = [[name for name in names if (_LANGUAGES[name].letters == _LATIN) is latin] for latin in (False, True)]
    with ThreadPoolExecutor() as pool:
        compiled = [name for group in pool.map(lambda group: _compile_all(group, folder), groups) for name in group]
    shutil.rmtree(scratch)
    return tuple(f"{name}.utf8" for name in names if name in compiled)


def _compile_all(names: Sequence[str], folder: Path) -> list[str]:
    """Compile languages with the same order of letters, and return those that work."""
    if not names:
        return []
    order = _localedef(folder / "sources" / f"order-{names[0]}", _collation(_LANGUAGES[names[0]].letters))
    return [name for name in names if _compile(name, folder, order / "LC_COLLATE")]


def _compile(name: str, folder: Path, order: Path) -> bool:
    """Compile one locale and return whether it works."""
    language, target, plain = _LANGUAGES[name], folder / f"{name}.utf8", Path(SYSTEM_LOCALES, "C.utf8")
    made = _localedef(folder / "sources" / name, _source(language))
    if not (order.is_file() and made.is_dir()):
        return False
    made.rename(target)
    if plain.is_dir():
        for entry in plain.iterdir():
            if entry.is_file() and entry.name not in ("LC_TIME", "LC_NUMERIC"):
                shutil.copyfile(entry, target / entry.name)
    shutil.copyfile(order, target / order.name)
    seen = _run("locale", "mon", LOCPATH=str(folder), LC_ALL=f"{name}.UTF-8")
    return seen.decode("utf-8", "replace").split(";")[0] == language.months.split()[0]


def _localedef(scratch: Path, source: Iterable[str]) -> Path:
    """Return the folder of the compiled locale; it does not exist if that failed."""
    scratch.mkdir()
    file, made = scratch / "source", scratch / "made"
    file.write_text("\n".join(source), encoding="ascii")
    # localedef also exits with 1 for warnings, such as for missing categories; --force still writes the locale.
    # It replaces files by hard links to equal ones in a sibling folder, so each locale has its own parent folder.
    _run("localedef", "--no-archive", "--force", "-f", str(scratch.parent / "charmap"), "-i", str(file), str(made))
    return made


def _run(*command: str, **variables: str) -> bytes:
    environment = {"PATH": os.environ.get("PATH", os.defpath), **variables}
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout


def _charmap() -> Iterator[str]:
    """Yield `_CHARACTERS` in UTF-8, in the format of charmap(5)."""
    yield from ("<code_set_name> UTF-8", "<comment_char> %", "<escape_char> /", "<mb_cur_min> 1", "<mb_cur_max> 6")
    yield "CHARMAP"
    for characters in _CHARACTERS:
        # Within a range, only the last byte may change, which holds six bits.
        for start in range(characters.start, characters.stop, 64):
            if start not in _SURROGATES:
                code = "".join(f"/x{byte:02x}" for byte in chr(start).encode())
                yield f"{_symbol(start)}..{_symbol(start + 63)} {code} x"
    yield from ("END CHARMAP", "")


def _source(language: _Language) -> Iterator[str]:
    yield from ("comment_char %", "escape_char /")
    yield from ("LC_NUMERIC", f"decimal_point {_quote(language.decimal_point)}", 'thousands_sep ""', "grouping -1")
    yield "END LC_NUMERIC"
    yield "LC_TIME"
    for key, words in (("abmon", language.short_months), ("mon", language.months), ("day", language.days)):
        yield f"{key} {';'.join(map(_quote, words.split()))}"
    yield f"abday {';'.join(_quote(day[:2]) for day in language.days.split())}"
    yield f"d_fmt {_quote(language.date)}"
    yield f"d_t_fmt {_quote(f'%a %d %b {language.date} %T')}"
    yield f"date_fmt {_quote('%a %d %b %Y %T %Z')}"
    yield from ('t_fmt "%T"', 'am_pm "";""', 't_fmt_ampm ""', "END LC_TIME")
    yield ""


def _collation(letters: str) -> Iterator[str]:
    """Yield an order in which case is the last criterion; all other characters are ordered by their code points.

    Characters without a position would all be equal, and ``sort -u`` would drop lines.
    """
    yield from ("comment_char %", "escape_char /", "LC_COLLATE")
    yield from ("collating-symbol <small>", "collating-symbol <capital>", "order_start forward;forward;forward")
    yield from ("<small>", "<capital>")
    pairs = [(letter, letter.upper()) for letter in letters]
    named = {ord(one) for pair in pairs for one in pair if len(one) == 1}
    yield from _ranges(range(128), named)
    for small, capital in pairs:
        yield f"{_symbol(ord(small))} {_symbol(ord(small))};<small>;{_symbol(ord(small))}"
        yield f"{_symbol(ord(capital))} {_symbol(ord(small))};<capital>;{_symbol(ord(capital))}"
    for characters in (range(128, _SURROGATES.start), range(_SURROGATES.stop, 1 << 16), *_CHARACTERS[1:]):
        yield from _ranges(characters, named)
    yield from ("UNDEFINED", "order_end", "END LC_COLLATE", "")


def _ranges(characters: range, named: Collection[int]) -> Iterator[str]:
    """Yield the `characters` except those `named`, as ranges."""
    stops = [*sorted(one for one in named if one in characters), characters.stop]
    start = characters.start
    for stop in stops:
        if start < stop:
            yield from (_symbol(start), "..", _symbol(stop - 1))
        start = stop + 1


def _symbol(point: int) -> str:
    return f"<U{point:04X}>" if point < 1 << 16 else f"<U{point:08X}>"


def _quote(text: str) -> str:
    return '"' + "".join(one if one.isascii() else _symbol(ord(one)) for one in text) + '"'
