"""The battery is whole: every row is tried by a test, and every mark of a test names a row."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))

from battery_table import families, trials

ROWS = [row for family in families().values() for row in family]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_row_is_tried(row):
    assert row.tried and row.happens
    assert trials()[row.id], f"no test carries the mark battery({row.id!r})"


def test_a_mark_names_a_row():
    assert not trials().keys() - {row.id for row in ROWS}


def test_rows_of_a_letter_are_counted_from_one():
    numbers = defaultdict(list)
    for row in ROWS:
        letter, number = re.fullmatch(r"([A-Z])(\d+)", row.id).groups()
        numbers[letter].append(int(number))
    for letter, found in numbers.items():
        assert found == list(range(1, len(found) + 1)), letter


def test_a_test_is_said_to_run_where_its_mark_puts_it():
    lanes = {trial.name: trial.lane for found in trials().values() for trial in found}
    assert lanes["test_a_wrong_password_is_told_without_the_password"] == "test-postgres"
    assert lanes["test_a_hostile_file_name_is_only_a_name"] == "test-browser"
    assert lanes["test_what_is_no_image_is_refused"] == "test"
    targets = (Path(__file__).parents[2] / "Makefile").read_text()
    assert all(f"\n{lane}:" in targets for lane in lanes.values())
