"""A student says what silencing does to its teacher: `benchmarks/teacher.py` in small."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np

TEACHER = Path(__file__).resolve().parents[2] / "benchmarks" / "teacher.py"


def test_a_student_of_a_part_of_the_neurons_says_what_silencing_does() -> None:
    spec = importlib.util.spec_from_file_location("teacher", TEACHER)
    assert spec is not None
    assert spec.loader is not None
    teacher = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = teacher  # for its dataclasses
    spec.loader.exec_module(teacher)
    sizes = teacher.Sizes(recordings=32, held_out=4, samples=80, rate=0.05)
    study = teacher.studied(1, sizes)
    assert 0.25 < np.isnan(study.traces).mean() < 0.35
    student = teacher.begun(study, 7)
    teacher.fitted(student, study, sizes, 100)
    assert student.neurons == study.teacher.neurons
    assert len(student.neurons) == 10
    assert teacher.explained(student, study).min() > 0.9
    theirs, ours = teacher.effects(study.teacher, study), teacher.effects(student, study)
    share, count = teacher.right(ours, theirs, 0.2)
    assert count >= 20
    assert share >= 0.9
    assert teacher.right(ours, theirs, teacher.CLEAR)[0] >= 0.8
