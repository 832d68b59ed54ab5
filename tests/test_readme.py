"""What the README shows works."""

import re
from pathlib import Path

from acgen.cli import build_parser
from acgen.spectra.io.export import target_csv
from acgen.spectra.targets import load_target

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_python_examples_run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "film.csv").write_text(target_csv(load_target("a-C-2.5")))
    first, *others = re.findall(r"```python\n(.*?)```", README, flags=re.S)
    exec(compile(first, "README.md", "exec"), {})
    misfit, judge, fractions = capsys.readouterr().out.split(maxsplit=2)
    assert float(misfit) > 0
    assert float(judge) > 0
    assert "3:" in fractions
    assert others
    for code in others:
        exec(compile(code, "README.md", "exec"), {})
        assert "sp3" in capsys.readouterr().out


def test_the_command_lines_parse():
    commands = re.findall(r"^acgen (.+)$", README.replace("\\\n", " "), flags=re.M)
    assert commands
    for command in commands:
        build_parser().parse_args(command.split("#")[0].split())


def test_pictures_and_files_that_are_named_exist():
    root = Path(__file__).parents[1]
    for name in re.findall(r"\]\((?!http|#)([^)]+)\)", README):
        assert (root / name).exists(), name
