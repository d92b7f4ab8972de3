"""What each shell reads to complete ``ftc``."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence

from pytest_ftc.cli.completion.commands import Command

_ARTIFACTS = "$(ftc completion artifacts 2>/dev/null)"

_BASH = """\
# For bash: eval "$(ftc completion bash)"
_ftc() {
    local words= current="${COMP_LINE:0:COMP_POINT}" first= second=
    # Not COMP_WORDS: bash breaks words at colons, which names of artifacts may have.
    current="${current##*[[:space:]]}"
    [ "$COMP_CWORD" -gt 1 ] && first="${COMP_WORDS[1]}"
    [ "$COMP_CWORD" -gt 2 ] && second="${COMP_WORDS[2]}"
    case "$first $second" in
%s
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [[ "$current" == *:* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${current%%"${current##*:}"}"}")
    fi
}
complete -o bashdefault -o default -F _ftc ftc
"""

_ZSH = """\
#compdef ftc
# For zsh, after compinit: eval "$(ftc completion zsh)"
_ftc() {
    local first= second=
    local -a found
    (( CURRENT > 2 )) && first="$words[2]"
    (( CURRENT > 3 )) && second="$words[3]"
    case "$first $second" in
%s
    esac
    compadd -- $found
    [[ "$PREFIX" == -* ]] || _files
}
if [ "$funcstack[1]" = "_ftc" ]; then
    _ftc "$@"
else
    compdef _ftc ftc
fi
"""

_FISH = """\
# For fish: ftc completion fish | source
function __ftc_at
    set -l words (commandline -opc)
    test (count $words) -eq 1 -a (count $argv) -eq 0
    or begin
        test (count $argv) -gt 0 -a (count $words) -gt (count $argv)
        and test "$words[2..$(math (count $argv) + 1)]" = "$argv"
    end
end
%s
"""


def _write_bash(commands: Sequence[Command]) -> str:
    return _BASH % "\n".join(_cases(commands, "words", '"', '"'))


def _write_zsh(commands: Sequence[Command]) -> str:
    top = [shlex.quote(f"{one.words[0]}:{one.brief}") for one in _outer(commands)]
    first = [
        '        " "*)',
        "            found=(",
        *(f"                {line}" for line in top),
        "            )",
        "            _describe command found",
        "            return",
        "            ;;",
    ]
    return _ZSH % "\n".join([*first, *list(_cases(commands, "found", "(", ")"))[1:]])


def _cases(commands: Sequence[Command], name: str, start: str, end: str) -> Iterator[str]:
    """Yield a branch for each command that sets `name` to what may follow; those of actions come first."""
    yield f'        " "*) {name}={start}{" ".join(one.words[0] for one in _outer(commands))}{end} ;;'
    for one in sorted(commands, key=lambda command: -len(command.words)):
        words = [*one.actions, *one.options, *([_ARTIFACTS] if one.takes_artifacts else [])]
        pattern = f'"{" ".join(one.words)}"' if len(one.words) > 1 else f'"{one.words[0]} "*'
        yield f"        {pattern}) {name}={start}{' '.join(words)}{end} ;;"


def _write_fish(commands: Sequence[Command]) -> str:
    lines = [
        f"complete -c ftc -n __ftc_at -f -a {one.words[0]} -d {_quote_fish(one.brief)}" for one in _outer(commands)
    ]
    for one in commands:
        here = f"complete -c ftc -n '__ftc_at {' '.join(one.words)}'"
        lines += [f"{here} -f -a '{' '.join(one.actions)}'"] if one.actions else []
        lines += [f"{here} -a '(ftc completion artifacts 2>/dev/null)'"] if one.takes_artifacts else []
        for option in one.options:
            kind = "-l" if option.startswith("--") else "-s"
            lines.append(f"{here} {kind} {option.lstrip('-')}")
    return _FISH % "\n".join(lines)


def _quote_fish(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _outer(commands: Sequence[Command]) -> Iterator[Command]:
    return (one for one in commands if len(one.words) == 1)


SCRIPTS: dict[str, Callable[[Sequence[Command]], str]] = {
    "bash": _write_bash,
    "zsh": _write_zsh,
    "fish": _write_fish,
}
"""The script of each shell, from the commands."""
