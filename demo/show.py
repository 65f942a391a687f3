"""Text of the demo: headings, tables, and claims that are checked."""

import sys

WIDTH = 100
_colour = sys.stdout.isatty()
_failed = []


def _paint(text, code):
    return f"\x1b[{code}m{text}\x1b[0m" if _colour else text


def heading(text):
    print(f"\n{_paint(text, '1')}\n{'-' * len(text)}", flush=True)


def say(text=""):
    print(text, flush=True)


def sql(text):
    print(f"  {_paint('shop=#', '2')} {_paint(text, '36')}", flush=True)


def table(columns, rows, indent=2):
    """Columns whose values are numbers are set to the right."""
    cells = [["" if v is None else f"{v:,}" if isinstance(v, int) and not isinstance(v, bool) else str(v) for v in row]
             for row in rows]
    widths = [max(len(c), *(len(r[i]) for r in cells)) if cells else len(c) for i, c in enumerate(columns)]
    right = [bool(rows) and all(isinstance(r[i], (int, float)) or r[i] is None for r in rows) for i in range(len(columns))]

    def line(values):
        return (" " * indent + "  ".join(v.rjust(w) if r else v.ljust(w)
                                         for v, w, r in zip(values, widths, right, strict=True))).rstrip()
    print(_paint(line(columns), "4"))
    for row in cells:
        print(line(row))
    print(flush=True)


def claim(text, holds, otherwise=""):
    """Print a claim with the verdict; the demo fails at its end if one did not hold."""
    if holds:
        print(f"  {_paint('ok', '32')}  {text}", flush=True)
    else:
        _failed.append(text)
        print(f"  {_paint('NO', '31')}  {text}  {otherwise}", flush=True)


def failed():
    return list(_failed)
