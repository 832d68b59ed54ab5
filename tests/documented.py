"""Commands of `acgen` that are written in a text, and whether the program would take them."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from pathlib import Path

from acgen.cli import build_parser

#: Stands for what is left out, or for choices: a line with one of them shows a form, not a whole command.
FORM = re.compile(r"…|\.\.\.|\||<")


def texts(root: Path) -> dict[str, str]:
    """README and every page and notebook of the book, as Markdown, by name."""
    book = sorted(page for page in (root / "notebooks").rglob("*") if page.suffix in (".md", ".ipynb"))
    found = {}
    for page in (root / "README.md", *book):
        text = page.read_text(encoding="utf-8")
        if page.suffix == ".ipynb":
            cells = json.loads(text)["cells"]
            text = "\n".join(
                f"```\n{''.join(cell['source'])}\n```" if cell["cell_type"] == "code" else "".join(cell["source"])
                for cell in cells
            )
        found[str(page.relative_to(root))] = text
    return found


def commands(text: str) -> tuple[list[str], list[str]]:
    """Whole commands, each a line of a block, and mentions, each between single backticks."""
    blocks = "\n".join(re.findall(r"^\s*```[^\n]*\n(.*?)^\s*```", text, flags=re.S | re.M))
    lines = re.sub(r"\\\n\s*", " ", blocks)
    whole = re.findall(r"^\s*(?:[$!%]\s*)?(?:\.venv/bin/)?acgen +(.+)$", lines, flags=re.M)
    prose = re.sub(r"^\s*```.*?^\s*```", "", text, flags=re.S | re.M)
    return [line.split("  #")[0].split(" # ")[0].strip() for line in whole], re.findall(r"`acgen +([^`]+)`", prose)


def fault(command: str) -> str:
    """Why a whole command is refused, or nothing."""
    if FORM.search(command):
        return fault_of_form(command)
    try:
        build_parser().parse_args(shlex.split(command))
    except SystemExit as ended:
        return "" if ended.code == 0 else "the parser refuses it"
    return fault_of_form(command)  # the parser also takes options that are cut short


def fault_of_form(command: str) -> str:
    """What a form names that does not exist: a subcommand, a choice or an option; or nothing."""
    parser = build_parser()
    words = shlex.split(command.replace("\\|", "|").replace("…", " … "))
    if "--" in words:  # what follows goes to another program
        words = words[: words.index("--")]
    place = 0
    while (groups := [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]) and place < len(words):
        names = words[place].split("|")
        if names[0].startswith(("…", "-")) or names[0].isupper():
            break
        unknown = [name for name in names if name not in groups[0].choices]
        if unknown:
            return f"there is no {unknown[0]}"
        parser, place = groups[0].choices[names[0]], place + 1
    options = {option for action in parser._actions for option in action.option_strings}
    for word in words[place:]:
        name = word.split("=")[0].strip(",.;")
        if name.startswith("--") and name not in options:
            return f"there is no option {name}"
    choices = [a.choices for a in parser._get_positional_actions() if a.choices]
    if choices and place < len(words) and re.fullmatch(r"[a-z|]+", words[place]):
        unknown = [name for name in words[place].split("|") if name not in choices[0]]
        return f"there is no {unknown[0]}" if unknown else ""
    return ""
