import base64
import io
import os
import stat
import sys

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from ganglion.errors import CircuitError
from ganglion.viz import animate_activity, current
from ganglion.viz.animate import Animation


@pytest.fixture
def animation(circuit, record):
    return animate_activity(circuit, record(circuit, steps=12), size=(3, 2), dpi=60)


def test_one_frame_for_each_sample(animation):
    assert animation.frames.shape == (12, 120, 180, 3)
    assert repr(animation) == "Animation(12 frames of 180 x 120, 15 per second)"
    assert all((a != b).any() for a, b in zip(animation.frames, animation.frames[1:], strict=False))


def test_only_neurons_and_the_clock_move(animation):
    moved = (animation.frames != animation.frames[0]).any(axis=(0, 3))
    assert 0 < moved.mean() < 0.2


def test_the_colour_of_a_neuron_is_its_state(circuit, record):
    recording = record(circuit, steps=3)
    recording.states[:] = 0
    recording.states[1] = 1
    recording.states[2] = -1
    frames = animate_activity(circuit, recording, legend=False).frames.astype(int)
    grey, light, dark = (np.array(to_rgb(current().values[k])) * 255 for k in (2, 4, 0))
    changed = (frames[1] != frames[0]).any(axis=-1) & (frames[2] != frames[0]).any(axis=-1)
    inside = changed & (np.abs(frames[0] - grey).max(axis=-1) < 3)
    assert np.abs(frames[1][inside].mean(axis=0) - light).max() < 12
    assert np.abs(frames[2][inside].mean(axis=0) - dark).max() < 12


def test_gif_has_the_frames_the_pace_and_the_pixels(animation, tmp_path):
    path = animation.save(tmp_path / "a.gif")
    with Image.open(path) as image:
        assert image.n_frames == 12
        assert image.info["loop"] == 0
        assert image.info["duration"] == 70
        for k in (0, 5, 11):
            image.seek(k)
            shown = np.asarray(image.convert("RGB")).astype(int)
            assert np.abs(shown - animation.frames[k]).mean() < 4


def test_html_holds_the_gif(animation):
    html = animation.to_html()
    assert html == animation._repr_html_()
    data = base64.b64decode(html.split("base64,")[1].split('"')[0])
    with Image.open(io.BytesIO(data)) as image:
        assert image.n_frames == 12


def test_animate_writes_at_once(circuit, recording, tmp_path):
    animate_activity(circuit, recording, tmp_path / "b.gif", size=(2, 1.5), dpi=50)
    assert (tmp_path / "b.gif").stat().st_size > 500


def test_mp4_goes_through_ffmpeg(animation, tmp_path, monkeypatch):
    """A stand-in for ffmpeg writes how many bytes it was given."""
    program = tmp_path / "ffmpeg"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nopen(sys.argv[-1], 'w').write(str(len(sys.stdin.buffer.read())))\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    animation.save(tmp_path / "a.mp4")
    assert int((tmp_path / "a.mp4").read_text()) == animation.frames.size


def test_mp4_without_ffmpeg_or_with_a_failing_one_is_an_error(animation, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"writing 'a.mp4' needs ffmpeg, which is not installed"):
        animation.save(tmp_path / "a.mp4")
    program = tmp_path / "ffmpeg"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.stdin.buffer.read()\nsys.exit('no such codec')\n"
    )
    program.chmod(0o755)
    with pytest.raises(RuntimeError, match=r"ffmpeg could not write 'a.mp4': no such codec"):
        animation.save(tmp_path / "a.mp4")


def test_other_endings_and_other_circuits_are_refused(animation, circuit, recording, tmp_path):
    with pytest.raises(ValueError, match=r"expected .gif or .mp4"):
        animation.save(tmp_path / "a.avi")
    circuit.remove_node("motor_2")
    with pytest.raises(CircuitError, match="the circuit has no neuron 'motor_2', which was recorded"):
        animate_activity(circuit, recording)


def test_gaps_and_one_frame(circuit, record):
    recording = record(circuit, steps=1)
    recording.states[0, 0] = np.nan
    with pytest.warns(UserWarning, match="gaps"):
        animation = animate_activity(circuit, recording, size=(2, 1.5), dpi=50)
    assert len(animation.to_gif()) > 200


def test_an_animation_may_be_made_of_any_frames():
    frames = np.zeros((3, 11, 7, 3), np.uint8)
    with Image.open(io.BytesIO(Animation(frames, 200).to_gif())) as image:
        assert image.info["duration"] == 20 or image.n_frames == 1
