"""What README and book show works: every command is one that the program takes, every example of the README runs."""

import re
from pathlib import Path

import pytest
from documented import commands, fault, fault_of_form, texts

from acgen.spectra.io.export import target_csv
from acgen.spectra.targets import load_target

ROOT = Path(__file__).parents[1]
TEXTS = texts(ROOT)
README = TEXTS["README.md"]


def test_the_python_examples_run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.S)
    assert blocks
    for name in {name for block in blocks for name in re.findall(r"""["'](\w+\.(?:csv|xdi|dat|txt))["']""", block)}:
        (tmp_path / name).write_text(target_csv(load_target("a-C-2.5")))
    for block in blocks:
        names: dict[str, object] = {}
        exec(compile(block, "README.md", "exec"), names)
        said = capsys.readouterr().out
        assert said.strip() or any(tmp_path.iterdir()), f"it leaves nothing to see:\n{block}"
        assert "nan" not in said


@pytest.mark.parametrize("page", TEXTS)
def test_commands_that_are_shown_are_taken(page):
    whole, mentions = commands(TEXTS[page])
    faults = {command: found for command in whole if (found := fault(command))}
    faults |= {command: found for command in mentions if (found := fault_of_form(command))}
    assert faults == {}


def test_commands_are_found_where_they_are_written():
    whole, mentions = commands(README)
    assert any(command.startswith("generate ") for command in whole)
    named = {command.split()[0] for text in TEXTS.values() for command in sum(commands(text), [])}
    assert {"generate", "prepare", "density", "reach"} <= named
    text = "Say `acgen md …`:\n```sh\n$ acgen prepare a.csv \\\n   --out b.xdi  # done\n```\n| `acgen targets` | x |"
    assert commands(text) == (["prepare a.csv  --out b.xdi"], ["md …", "targets"])


@pytest.mark.parametrize(
    "wrong",
    [
        "generat --out d",
        "generate --cel 7 --out d",
        "generate --density dense --out d",
        "generate --guide all --out d",
        "prepare",
    ],
)
def test_a_wrong_command_is_found(wrong):
    assert fault(wrong)


@pytest.mark.parametrize("wrong", ["generat …", "generate … --zp F.zip", "train score|backward …", "validate gide …"])
def test_a_wrong_form_is_found(wrong):
    assert fault_of_form(wrong)


def test_pictures_and_files_that_are_named_exist():
    for name in re.findall(r"\]\((?!http|#)([^)#]+)", README):
        assert (ROOT / name).exists(), name
