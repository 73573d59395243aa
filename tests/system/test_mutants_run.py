"""tests/mutants/run itself, against programs that do as a unit test program does."""

import importlib.machinery
import importlib.util
import os

import pytest
from conftest import ROOT


@pytest.fixture
def runner(monkeypatch):
    loader = importlib.machinery.SourceFileLoader("mutants_run", os.path.join(ROOT, "tests", "mutants", "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    monkeypatch.setitem(__import__("sys").modules, loader.name, module)
    loader.exec_module(module)
    monkeypatch.setattr(module, "TEST_ENDS_WITHIN", 2)
    monkeypatch.setattr(module, "UNITS_END_WITHIN", 60)
    return module


@pytest.fixture
def program(tmp_path):
    def make(script):
        path = tmp_path / "units"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return make


def test_a_test_that_does_not_end_is_found_and_named(runner, program):
    loops = program("""echo '<TestCase name="a_short_one">'; echo '<TestCase name="one_that_says_&quot;no&quot;">'; while :; do sleep 1; done""")
    mutant = runner.Mutant("rules", "some", "Some property.", "rules/engine.cpp", "", "")
    assert runner.found_by_units(None, mutant, loops) == 'found by unit test one_that_says_"no" (does not end)'


def test_tests_that_are_many_and_each_short_come_to_their_end(runner, program):
    many = program("""for i in 1 2 3 4 5; do echo "<TestCase name='$i'>"; sleep 0.8; done""")
    assert runner.failed_test(many, []) is None


def test_every_mutant_changes_what_stands_there_now(runner):
    mutants = runner.read_list()  # ends the program where a text is not there exactly once
    assert len(mutants) > 200 and len({mutant.name for mutant in mutants}) == len(mutants)
