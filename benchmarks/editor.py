"""What the editor's page costs in a browser, beside Cytoscape.js and sigma, and an edit's way to and fro.

    python benchmarks/editor.py [--sizes 300x3000,1000x10000] [--peers] [--out benchmarks/results]

Needs the extras `editor` and `browser` and Debian's package chromium; `--peers` also needs npm. Real mouse
events move the picture, drag a neuron and point at things, 50 times a second, which is slow enough for a
frame between two of them. The time of the page's main thread, as the browser itself counts it
(`Performance.getMetrics` with thread ticks), is divided by the frames in which the page drew; other work on
the machine stretches it but does not add to it: the least of three rounds is taken. "All" is the processor
time of all the browser's processes. Chromium runs without a GPU. The first picture is what a person waits
for, from the start of loading, the least of three.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measure import machine
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

import ganglion as gl

PEERS = Path(__file__).parent / "editor_peers"
LIMITS = {  # ms: first picture, pan, drag, point; what the page is held to
    "300x3000": (500, 4, 6, 2),
    "1000x10000": (1000, 4, 6, 2),
    "5000x50000": (3000, None, None, None),
}
MOVES = 60
PACE = 0.02  # seconds from one move to the next
LONG = 10.0  # seconds of rounds, after which there is no other one
COUNT_FRAMES = """
window.framesDrawn = 0;
{
  const ask = requestAnimationFrame.bind(window);
  let last = 0;
  window.requestAnimationFrame = (act) => ask((now) => {
    if (now !== last) { last = now; window.framesDrawn++; }
    act(now);
  });
}
"""
SHARES = {"sensory": 0.2, "inter": 0.5, "command": 0.2, "motor": 0.1}


def circuit_of(neurons: int, synapses: int) -> gl.Circuit:
    """A random circuit with places: one block of neurons for each role."""
    rng = np.random.default_rng(1)
    circuit = gl.Circuit(name=f"{neurons} neurons")
    x = 0
    for role, share in SHARES.items():
        count = round(neurons * share)
        columns = max(1, round((count / 2.2) ** 0.5)) if count > 18 else 1
        for k in range(count):
            place = {"x": x + k % columns * 69, "y": k // columns * 60}
            circuit.add_neuron(f"{role}_{k}", role=role, **place)
        x += columns * 69 + 200
    names = list(circuit)
    receivers = [name for name in names if circuit.nodes[name]["role"] != "sensory"]
    while circuit.number_of_edges() < synapses:
        pre, post = names[rng.integers(len(names))], receivers[rng.integers(len(receivers))]
        if not circuit.has_edge(pre, post):
            circuit.add_synapse(pre, post, polarity=1 if rng.random() < 0.7 else -1)
    return circuit


@dataclass
class Row:
    """What one picture costs, in ms; `all` are the same of all processes."""

    name: str
    size: str
    first: float
    pan: float
    drag: float
    point: float
    all: tuple[float, float, float]


def page_of(circuit: gl.Circuit, peer: str | None, folder: Path) -> Path:
    """A file that shows the circuit by our page or by another library."""
    path = folder / f"{peer or 'ganglion'}-{len(circuit)}.html"
    if peer is None:
        gl.viz.to_html(circuit, path)
        return path
    bundle = folder / f"{peer}.js"
    if not bundle.exists():
        if not (PEERS / "node_modules").exists():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=PEERS, check=True)
        build = [
            "npx",
            "esbuild",
            f"{peer}.js",
            "--bundle",
            "--minify",
            "--format=esm",
            f"--outfile={bundle}",
        ]
        subprocess.run(build, cwd=PEERS, check=True, capture_output=True)
    nodes = [{"id": name, **data} for name, data in circuit.nodes(data=True)]
    edges = [{"source": u, "target": v, **data} for u, v, data in circuit.edges(data=True)]
    data = json.dumps({"nodes": nodes, "edges": edges})
    path.write_text(
        "<!doctype html><meta charset=utf-8><style>html,body{margin:0}#box{width:100vw;height:100vh}</style>"
        f'<div id=box></div><script type="application/json" id=circuit>{data}</script>'
        f"<script type=module>{bundle.read_text(encoding='utf-8')}</script>",
        encoding="utf-8",
    )
    return path


class Clock:
    """Thread time of a page's main thread and processor time of all its browser's processes, in ms."""

    def __init__(self, page: Page, browser_pid: int) -> None:
        self.page = page
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.session.send("Performance.enable", {"timeDomain": "threadTicks"})
        self.pid = browser_pid

    def thread(self) -> float:
        found = self.session.send("Performance.getMetrics")["metrics"]
        return 1000 * next(float(m["value"]) for m in found if m["name"] == "TaskDuration")

    def processes(self) -> float:
        ticks = os.sysconf("SC_CLK_TCK")
        return sum(1000 * sum(times) / ticks for times in _times(self.pid))

    def per_frame(self, act: Callable[[], None]) -> tuple[float, float]:
        """The least of three rounds; of fewer, if they take long."""
        rounds: list[tuple[float, float]] = []
        began = time.monotonic()
        while not rounds or (len(rounds) < 3 and time.monotonic() - began < LONG):
            drawn = -self._drawn()
            before = self.thread(), self.processes()
            act()
            after = self.thread(), self.processes()
            drawn += self._drawn()
            rounds.append(((after[0] - before[0]) / drawn, (after[1] - before[1]) / drawn))
        return min(rounds)

    def _drawn(self) -> int:
        return int(self.page.evaluate("framesDrawn"))


def _times(root: int) -> Iterator[tuple[int, int]]:
    """User and system ticks of a process and all that it started."""
    children: dict[int, list[int]] = {}
    own: dict[int, tuple[int, int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(path.parent.name)
        children.setdefault(int(fields[1]), []).append(pid)
        own[pid] = int(fields[11]), int(fields[12])
    left = [root]
    while left:
        pid = left.pop()
        left += children.get(pid, [])
        if pid in own:
            yield own[pid]


def measure(page: Page, pid: int, path: Path, name: str, size: str, still: str) -> Row:
    """Load a page and move, drag and point in it with the mouse."""
    page.add_init_script(COUNT_FRAMES)
    ready = "() => window.first ?? (window.ganglion?.counts.frames > 0 && (window.first = performance.now()))"
    first = float("inf")
    for _ in range(3):
        page.goto(path.as_uri())
        page.wait_for_function(ready, polling="raf", timeout=120_000)
        first = min(first, float(page.evaluate("first")))
    page.wait_for_timeout(800)
    clock = Clock(page, pid)
    ours = name == "Ganglion"

    def at(neuron: str) -> tuple[float, float]:
        x, y = page.evaluate("name => window.bench ? bench.at(name) : ganglion.positions()[name]", neuron)
        return x, y

    def moves(places: list[tuple[float, float]]) -> None:
        for x, y in places:
            due = time.perf_counter() + PACE
            page.mouse.move(x, y)
            time.sleep(max(0.0, due - time.perf_counter()))

    def swing(x: float, y: float) -> list[tuple[float, float]]:
        return [(x + 3 * min(k, MOVES - k), y + 2 * min(k, MOVES - k)) for k in range(MOVES)]

    # The background is grabbed where nothing is; our page pans by the middle button, the others by the left.
    corner = (70.0 if ours else 8.0, 700.0 if ours else 790.0)
    page.mouse.move(*corner)
    page.mouse.down(button="middle" if ours else "left")
    pan = clock.per_frame(lambda: moves([(x, y - 2 * (y - corner[1])) for x, y in swing(*corner)]))
    page.mouse.up(button="middle" if ours else "left")
    page.wait_for_timeout(600)

    neuron = at(still)
    page.mouse.move(*neuron)
    page.mouse.down()
    drag = clock.per_frame(lambda: moves(swing(*neuron)))
    page.mouse.up()
    page.wait_for_timeout(600)

    across = [(300 + k * 613 % 680, 160 + k * 389 % 480) for k in range(MOVES)]
    moves(across[:3])  # the first look makes the tables
    point = clock.per_frame(lambda: moves(across))
    return Row(name, size, first, pan[0], drag[0], point[0], (pan[1], drag[1], point[1]))


WATCH = """() => {
  window.times = null;
  const before = ganglion.revision;
  addEventListener("keydown", () => {
    const start = performance.now();
    let there = 0;
    const look = () => {
      if (!there && ganglion.revision > before) there = performance.now() - start;
      if (ganglion.ran > before) window.times = [there, performance.now() - start];
      else setTimeout(look, 1);
    };
    look();
  }, { once: true, capture: true });
}"""


def round_trip(page: Page, circuit: gl.Circuit) -> tuple[float, float]:
    """Median ms from a key that flips a synapse to Python's answer, and to the new network's outputs."""
    with gl.edit(circuit, browser=False) as editor:
        page.goto(editor.url)
        page.wait_for_function("() => window.ganglion && ganglion.revision >= 0", timeout=60_000)
        page.get_by_test_id("canvas").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("6" if page.evaluate("ganglion.cursorRole") != "sensory" else "7")
        page.keyboard.press("Space")
        page.wait_for_timeout(500)
        there, outputs = [], []
        for _ in range(7):
            page.evaluate(WATCH)
            page.keyboard.press("f")
            page.wait_for_function("() => window.times", timeout=60_000)
            answered, shown = page.evaluate("times")
            there.append(answered)
            outputs.append(shown)
            page.wait_for_timeout(300)
    return statistics.median(there), statistics.median(outputs)


@contextmanager
def chromium() -> Iterator[tuple[Browser, int]]:
    """A browser without a GPU, and its process."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise SystemExit("no browser: install Debian's package chromium")
    before = {int(p.name) for p in Path("/proc").glob("[0-9]*")}
    with sync_playwright() as playwright:
        # sigma needs WebGL, which is software here.
        options = ["--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader"]
        browser = playwright.chromium.launch(executable_path=found, args=options)
        started = {int(p.name) for p in Path("/proc").glob("[0-9]*")} - before
        yield browser, min(pid for pid in started if _is_browser(pid))
        browser.close()


def _is_browser(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"chrom" in words[0] and not any(word.startswith(b"--type=") for word in words)


def table(rows: list[Row]) -> Iterator[str]:
    """The rows as Markdown."""
    yield "| page | neurons x synapses | first picture | pan | drag | point | all: pan, drag, point |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        limits = LIMITS.get(row.size, (None,) * 4) if row.name == "Ganglion" else (None,) * 4
        values = (row.first, row.pan, row.drag, row.point)
        cells = [
            f"{value:.{0 if k == 0 else 1}f}{'' if limit is None else f' (of {limit})'}"
            for k, (value, limit) in enumerate(zip(values, limits, strict=True))
        ]
        yield f"| {row.name} | {row.size} | {' | '.join(cells)} | {', '.join(f'{v:.0f}' for v in row.all)} |"


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default=",".join(LIMITS))
    parser.add_argument("--peers", action="store_true", help="measure Cytoscape.js and sigma as well")
    parser.add_argument("--out", type=Path, help="folder for editor.md")
    arguments = parser.parse_args()
    rows: list[Row] = []
    trips: list[str] = []
    with tempfile.TemporaryDirectory() as folder, chromium() as (browser, pid):
        for size in arguments.sizes.split(","):
            neurons, synapses = map(int, size.split("x"))
            circuit = circuit_of(neurons, synapses)
            still = f"inter_{round(neurons * SHARES['inter']) // 2}"
            for name, peer in [("Ganglion", None), ("Cytoscape.js", "cytoscape"), ("sigma", "sigma")]:
                if peer is not None and (not arguments.peers or neurons > 1000):
                    continue
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                try:
                    path = page_of(circuit, peer, Path(folder))
                    rows.append(measure(page, pid, path, name, size, still))
                    print(list(table(rows[-1:]))[-1], flush=True)
                finally:
                    page.close()
            if neurons <= 1000:
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                answered, shown = round_trip(page, circuit)
                page.close()
                most = 100 if neurons < 1000 else 200
                trips.append(f"| {size} | {answered:.0f} (of 100) | {shown:.0f} (of {most}) |")
                print(trips[-1], flush=True)
        version = browser.version
    text = "\n".join(
        [
            "# The editor's page",
            "",
            f"`python benchmarks/editor.py{' --peers' if arguments.peers else ''}` on {machine()};",
            f"Chromium {version} without a GPU, 1280 x 800; load of the machine {os.getloadavg()[0]:.0f}.",
            "Milliseconds; those of pan, drag and point are a frame's, on the page's main thread.",
            "",
            *table(rows),
            "",
            "From a key that flips a synapse, with the network running (median of 7):",
            "",
            "| neurons x synapses | Python's answer is there | outputs of the new network are there |",
            "|---|---|---|",
            *trips,
            "",
        ]
    )
    print(text)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "editor.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
