"""A remedy for paths in debug information leaves a project's own flags as they are."""

import shutil
import subprocess

import pytest

MAKEFILE = """\
CFLAGS ?= -g -O2
prog: prog.c
\tgcc $(CFLAGS) -c -o prog.o $(CURDIR)/prog.c
\tgcc $(CFLAGS) -o prog prog.o
"""
CONFIGURE = """\
#!/bin/sh
printf 'CC = %s\\nCFLAGS = %s\\n' "${CC:-gcc}" "${CFLAGS--g -O2}" > Makefile
printf 'prog: prog.c\\n\\t$(CC) $(CFLAGS) -o prog $(CURDIR)/prog.c\\n' >> Makefile
"""
SOURCE = """\
#include <stdio.h>
int main(void) {
#ifdef __OPTIMIZE__
    puts("optimised");
#else
    puts("SLOW: not optimised");
#endif
    return 0;
}
"""


@pytest.mark.parametrize("command", ["make", "sh configure && make"])
def test_a_proved_remedy_keeps_the_default_flags(project, verify_build, command):
    (project / "prog.c").write_text(SOURCE)
    if "configure" in command:
        (project / "configure").write_text(CONFIGURE)
    else:
        (project / "Makefile").write_text(MAKEFILE)
    run = verify_build(command, "--ftc-diagnose=full", outputs='["prog"]')
    remedy = next(one["remedy"] for one in run.artifact()["findings"] if one["cause"] == "build_path")
    assert remedy["proved"], run.text
    assert not remedy["settings"]
    copy = project / "healed"
    copy.mkdir()
    for name in ("prog.c", "configure" if "configure" in command else "Makefile"):
        shutil.copy(project / name, copy)
    subprocess.run(["sh", "-c", f"{remedy['before']}\n{command}"], cwd=copy, check=True)
    assert subprocess.run([copy / "prog"], capture_output=True, text=True).stdout == "optimised\n"
    assert str(copy).encode() not in (copy / "prog").read_bytes()
