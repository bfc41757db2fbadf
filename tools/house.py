"""Counts the house: lines of code, functions, arguments, names, and what a change makes stale.

    python tools/house.py            this checkout
    python tools/house.py FOLDER     another checkout

Lines of code are those without docstrings, comments and blanks.
"""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "dcgan_lib"
SILENT = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


class Function(NamedTuple):
    """Where a function stands, its lines of code, and how many arguments it takes.

    `self`, `cls` and what is starred are left out.
    """

    name: str
    lines: int
    arguments: int


def code_lines(text: str) -> set[int]:
    """Returns the numbers of the lines that hold code."""
    told: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            told |= set(range(node.lineno, node.end_lineno + 1))
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in (*SILENT, tokenize.ENDMARKER):
            held |= set(range(token.start[0], token.end[0] + 1))
    return held - told


def functions(name: str, text: str) -> Iterator[Function]:
    lines = code_lines(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            taken = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            count = sum(argument.arg not in ("self", "cls") for argument in taken)
            inside = sum(node.lineno <= line <= node.end_lineno for line in lines)
            yield Function(f"{name}:{node.name}", inside, count)


def public_names(text: str) -> int:
    """Returns how many functions, classes and constants of a module have no underscore."""
    count = 0
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            count += not node.name.startswith("_")
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
            count += sum(not name.startswith("_") for name in names)
    return count


def imports_of(text: str) -> int:
    """Returns from how many modules of the package a module imports."""
    nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom))
    return len({node.module for node in nodes if (node.module or "").startswith(f"{PACKAGE}.")})


def measure(root: Path) -> dict[str, object]:
    """Returns the figures of the package below `root`."""
    package = root / PACKAGE
    texts = {
        str(p.relative_to(package)): p.read_text("utf-8") for p in sorted(package.rglob("*.py"))
    }
    lines = {name: len(code_lines(text)) for name, text in texts.items()}
    rooms: Counter[str] = Counter()
    for name, count in lines.items():
        rooms[name.rpartition("/")[0] or "(top level)"] += count
    found = [function for name, text in texts.items() for function in functions(name, text)]
    return {
        "lines by file": lines,
        "lines by room": dict(rooms),
        "top level": rooms["(top level)"],
        "modules of the top level": sum("/" not in n and "__" not in n for n in lines),
        "all": sum(lines.values()),
        "training.py": lines.get("training.py", 0),
        "modules that training.py imports": imports_of(texts.get("training.py", "")),
        "public names": sum(map(public_names, texts.values())),
        "median function": statistics.median(function.lines for function in found),
        "largest function": max(found, key=lambda function: function.lines),
        "largest signature": max(found, key=lambda function: function.arguments),
    }


def reached(root: Path) -> dict[str, int]:
    """Returns how many notebooks have stale outputs after one changed line in each module."""
    sys.path.insert(0, str(root))
    sys.path.insert(0, str(root / "tools"))
    import notebooks as tool

    counts: Counter[str] = Counter()
    for path in tool.sources():
        cells = tool.code_cells(tool.read(path))[1:]
        counts.update(tool.library_modules("\n".join(cell.source for cell in cells)))
    modules = (p.relative_to(root / PACKAGE) for p in sorted((root / PACKAGE).rglob("*.py")))
    names = [str(m.with_suffix("")).replace("/", ".").removesuffix(".__init__") for m in modules]
    return {name: counts[name] for name in names if name != "__init__"}


def main(root: str | Path = ROOT) -> None:
    root = Path(root).resolve()
    for name, value in measure(root).items():
        if isinstance(value, dict):
            print(f"\n{name}")
            for key, count in value.items():
                print(f"  {count:5}  {key}")
        else:
            print(f"{name}: {value}")
    print("\nnotebooks that a changed line makes stale")
    for name, count in reached(root).items():
        print(f"  {count:5}  {name}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
