"""A student says what silencing does to its teacher: `benchmarks/teacher.py` in small."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np

import ganglion as gl

TEACHER = Path(__file__).resolve().parents[2] / "benchmarks" / "teacher.py"


def test_a_student_of_a_part_of_the_neurons_says_what_silencing_does() -> None:
    spec = importlib.util.spec_from_file_location("teacher", TEACHER)
    assert spec is not None
    assert spec.loader is not None
    teacher = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = teacher  # for its dataclasses
    spec.loader.exec_module(teacher)
    sizes = teacher.Sizes(recordings=32, repeats=2, held_out=4, samples=80, rate=0.1)
    study = teacher.studied(8, sizes)
    seen = np.isin(study.teacher.rnn.cell.neurons, study.recordings.silenced)
    assert seen.sum() == 10
    assert 0.25 < np.mean([np.isnan(traces).mean() for _, traces, _ in study.recordings.items]) < 0.35
    student = teacher.begun(study, 7)
    teacher.fitted(student, study, sizes, 20)
    assert student.neurons == study.teacher.neurons
    assert len(student.neurons) == 10
    assert teacher.explained(student, study).min() > 0.9
    for how in (gl.studies.Silence, gl.studies.Lesion):
        theirs, ours = (teacher.effects(each, study, how)[~seen] for each in (study.teacher, student))
        share, count = teacher.right(ours, theirs, teacher.CLEAR)
        assert count >= 20
        assert share >= 0.85
