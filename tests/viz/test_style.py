import re
import subprocess
import sys
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from ganglion.viz import current, styled
from ganglion.viz.style import DARK, LIGHT, lightness

ROOT = Path(__file__).parents[2]

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def lab(color, kind):
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(BLINDNESS[kind]) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ linear / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("kind", BLINDNESS)
def test_colours_are_told_apart_whatever_the_eye(look, kind):
    for group in (list(look.colors.values()), [look.excitatory, look.inhibitory]):
        for one, other in combinations(group, 2):
            assert np.linalg.norm(lab(one, kind) - lab(other, kind)) > 20


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_are_told_apart_in_greyscale(look):
    for group in (list(look.colors.values()), [look.excitatory, look.inhibitory]):
        levels = sorted(lightness(color) for color in group)
        assert np.diff(levels).min() > 12
    for color in (look.excitatory, look.inhibitory, look.accent):
        assert abs(lightness(color) - lightness(look.ground)) > 30


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("kind", BLINDNESS)
def test_kinds_are_told_apart_from_each_other_and_from_what_has_a_meaning(look, kind):
    for one, other in combinations(look.palette, 2):
        assert np.linalg.norm(lab(one, kind) - lab(other, kind)) > 12
        assert abs(lightness(one) - lightness(other)) > 10
    taken = [*look.colors.values(), look.excitatory, look.inhibitory, look.accent]
    for one, other in product(look.palette, taken):
        assert np.linalg.norm(lab(one, "none") - lab(other, "none")) > 14
    assert len({look.line(k) for k in range(12)}) == len({look.fill(k) for k in range(12)}) == 12


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_signed_values_are_ever_lighter_and_no_synapse(look):
    shades = look.diverging()(np.linspace(0, 1, 33))
    assert np.diff([lightness(shade) for shade in shades]).min() > 0.5
    for end, sign in product((look.values[0], look.values[-1]), (look.excitatory, look.inhibitory)):
        assert np.linalg.norm(lab(end, "none") - lab(sign, "none")) > 40


def test_colours_are_written_in_the_palette_alone():
    """Whatever draws for people takes its colours from there; white and black are no colours."""
    rooms = [ROOT / "viz", ROOT / "src" / "ganglion"]
    found = [p for room in rooms for p in room.rglob("*.py") if p.name != "palette.py"]
    named = re.compile(r"""#(?!1F66AD'|121212)[0-9A-Fa-f]{6}\b|["']tab:|["']C\d["']|PuOr|RdBu|coolwarm""")
    assert [f"{p.name}: {hit}" for p in found for hit in named.findall(p.read_text())] == []


def test_the_editor_has_the_same_colours():
    theme = (ROOT / "viz" / "editor" / "page" / "src" / "render" / "theme.ts").read_text().upper()
    for look in (LIGHT, DARK):
        assert [c for c in (*look.colors.values(), look.excitatory, look.inhibitory) if c not in theme] == []
    assert [color for color in LIGHT.values if color.upper() not in theme] == []


def test_markers_differ():
    assert len(set(LIGHT.markers.values())) == 4


def test_styled_nests_merges_and_ends():
    with styled(colors={"motor": "red"}, curvature=0.3):
        with styled(colors={"inter": "blue"}):
            assert current().colors["motor"] == "red"
            assert current().colors["inter"] == "blue"
            assert current().curvature == 0.3
        assert current().colors["inter"] == LIGHT.colors["inter"]
    assert current().colors == LIGHT.colors
    assert current().curvature == LIGHT.curvature


def test_unknown_style_fields_are_refused():
    with (
        pytest.raises(TypeError, match="no style field 'colour'; the fields are accent, colors"),
        styled(colour="red"),
    ):
        pass


def test_importing_the_room_is_light():
    heavy = ("matplotlib.pyplot", "mlx", "mlx.core", "torch", "scipy")
    code = f"import sys, ganglion.viz; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
