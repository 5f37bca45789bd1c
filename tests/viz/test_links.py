import numpy as np
import pytest

from ganglion.viz.links import head_room, link

POS = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 8.0]])
RADIUS = np.array([1.0, 1.5, 1.0])


def draw(pre, post, bend=0.12, flow=None, head=0.8):
    pre, post = np.array(pre), np.array(post)
    return link(POS, RADIUS, pre, post, bend=np.full(len(pre), bend), head=head, flow=flow)


@pytest.mark.parametrize("flow", [None, np.array([1.0, 0.0])])
@pytest.mark.parametrize("bend", [0.0, 0.12, -0.2])
def test_curves_run_from_border_to_border(bend, flow):
    links = draw([0, 1, 2], [1, 2, 0], bend, flow)
    start = np.linalg.norm(links.curves[:, 0] - POS[[0, 1, 2]], axis=1)
    tip = np.linalg.norm(links.tips - POS[[1, 2, 0]], axis=1)
    foot = np.linalg.norm(links.curves[:, -1] - POS[[1, 2, 0]], axis=1)
    np.testing.assert_allclose(start, RADIUS[[0, 1, 2]], rtol=1e-3)
    np.testing.assert_allclose(tip, RADIUS[[1, 2, 0]], rtol=1e-3)
    np.testing.assert_allclose(foot, RADIUS[[1, 2, 0]] + 0.8, rtol=1e-3)


def test_reciprocal_synapses_part():
    there, back = draw([0, 1], [1, 0]).curves
    assert there[1:-1, 1].min() > 0 > back[1:-1, 1].max()


def test_a_synapse_with_itself_is_a_loop_outside_its_neuron():
    links = draw([1], [1])
    away = np.linalg.norm(links.curves[0] - POS[1], axis=1)
    assert (away >= 1.5 - 1e-9).all()
    assert away[0] == pytest.approx(1.5)
    assert np.linalg.norm(links.tips[0] - POS[1]) == pytest.approx(1.5)
    assert links.curves[0, :, 1].max() > 1.5 * 1.5  # it stands upwards


def test_heads_end_at_the_tip_and_lie_across():
    links = draw([0, 1], [1, 2])
    arrow, bar = links.heads(0.8, np.array([1, -1]))
    np.testing.assert_allclose(arrow[0], links.tips[0])
    np.testing.assert_allclose(bar[:2].mean(axis=0), links.tips[1])
    assert (bar[0] - bar[1]) @ links.headings[1] == pytest.approx(0, abs=1e-12)
    assert (arrow[0] - arrow[[1, 3]].mean(axis=0)) @ links.headings[0] == pytest.approx(0.8)


def test_curves_meet_their_heads():
    signs = np.array([1, -1])
    room = head_room(0.8, signs)
    links = draw([0, 1], [1, 2], head=room)
    gap = np.linalg.norm(links.curves[:, -1] - links.tips, axis=1)
    assert gap[0] < 0.8
    assert gap[1] < 0.8 * 0.36


def test_neurons_that_touch_or_coincide_give_finite_curves():
    pos = np.array([[0.0, 0.0], [0.5, 0.0], [0.5, 0.0]])
    pre, post = np.array([0, 1]), np.array([1, 2])
    links = link(pos, np.ones(3), pre, post, bend=np.array([0.1, 0.1]), head=1.0)
    for values in (links.curves, links.tips, links.headings):
        assert np.isfinite(values).all()
