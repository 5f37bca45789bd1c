"""Exported networks where they are used: the command line, the loops of boards."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import ganglion as gl
from ganglion.cli import main

from .test_export_c import numbers, program_of, run, table

ROOT = Path(__file__).resolve().parents[2]
ARDUINO = """
extern "C" unsigned long micros(void);
int analogRead(int pin);
void analogWrite(int pin, int value);
#define constrain(x, low, high) ((x) < (low) ? (low) : (x) > (high) ? (high) : (x))
"""
ROS = """
#include <functional>
#include <memory>
#include <string>
#include <vector>
namespace builtin_interfaces::msg { struct Time {}; }
namespace std_msgs::msg { struct Float64MultiArray { std::vector<double> data; }; }
namespace sensor_msgs::msg {
struct JointState {
    struct { builtin_interfaces::msg::Time stamp; } header;
    std::vector<double> position, velocity;
};
}
namespace rclcpp {
struct Duration { double seconds() const; };
struct Time {
    Time();
    explicit Time(const builtin_interfaces::msg::Time &);
    Duration operator-(const Time &) const;
};
template <class M> struct Publisher {
    using SharedPtr = std::shared_ptr<Publisher>;
    void publish(const M &);
};
template <class M> struct Subscription { using SharedPtr = std::shared_ptr<Subscription>; };
struct Node {
    explicit Node(const std::string &);
    template <class M> typename Publisher<M>::SharedPtr create_publisher(const std::string &, int);
    template <class M>
    typename Subscription<M>::SharedPtr create_subscription(
        const std::string &, int, std::function<void(const M &)>);
};
void init(int, char **);
void spin(std::shared_ptr<Node>);
void shutdown();
}
"""


def policy(folder: Path) -> Path:
    gl.export_c(gl.CfC(gl.auto_ncp(8, 1, inputs=4, seed=1)), folder / "policy.c")
    return folder / "policy.c"


@pytest.mark.parametrize(
    ("example", "headers"),
    [
        ("policy.ino", {"Arduino.h": ARDUINO}),
        (
            "policy_node.cpp",
            {
                "rclcpp/rclcpp.hpp": ROS,
                "sensor_msgs/msg/joint_state.hpp": "",
                "std_msgs/msg/float64_multi_array.hpp": "",
            },
        ),
    ],
)
def test_the_loops_of_boards_compile(example: str, headers: dict[str, str], tmp_path: Path) -> None:
    """Against declarations of what they call: neither Arduino nor ROS is there."""
    policy(tmp_path)
    for name, text in headers.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    shutil.copy(ROOT / "examples" / "boards" / example, tmp_path / "loop.cpp")
    command = ["g++", "-std=c++17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I", tmp_path]
    ran = subprocess.run([*command, tmp_path / "loop.cpp"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_the_command_exports_what_was_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 2)) * [3.0, 0.1] + [10.0, 0.0]
    rows = np.column_stack([np.cumsum(rng.uniform(0.5, 1.5, 120)), x, x @ [0.3, 2.0]])
    (tmp_path / "data.csv").write_text("t,speed,angle,torque\n" + table(rows))
    gl.write(gl.auto_ncp(8, 1, inputs=2, seed=1), tmp_path / "c.json")
    train = [
        "train",
        "c.json",
        "data.csv",
        "--target",
        "torque",
        "--time",
        "t",
        "--out",
        "run",
        "--epochs",
        "1",
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert main(train) == 0
        assert main(["export", "run", "-o", "policy.c"]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == "policy.c, policy.h: policy_step and policy_reset"
        model = gl.load("run")
        assert main(["export", "run", "-o", "fixed.c", "--fixed", "data.csv"]) == 0
        said = capsys.readouterr().out.splitlines()[-1]
        assert said.startswith("fixed point differs from floats by at most: torque ")
        for bad, message in (
            (["-o", "fixed.onnx", "--fixed", "data.csv"], "ONNX has no numbers in fixed point"),
            (["-o", "other.c", "--fixed", "gone.csv"], "gone.csv"),
            (["-o", "other.c", "--fixed", "short.csv"], "no column 'angle'"),
        ):
            (tmp_path / "short.csv").write_text("t,speed\n0,1\n1,2\n")
            assert main(["export", "run", *bad]) == 2
            error = capsys.readouterr().err
            assert message in error
            assert error.count("\n") == 1
            assert not (tmp_path / bad[1]).exists()
    span, most = np.diff(rows[:, 0], prepend=rows[0, 0] - model.time_unit), float(said.split()[-1])
    found = run(program_of(tmp_path / "fixed.c"), "speed,angle,dt\n" + table(x, span))
    assert np.abs(numbers(found.stdout) - model.predict(x, span)).max() < 1.5 * most < 1e-3
    spans = rng.uniform(0.5, 1.5, 40)
    found = run(program_of(tmp_path / "policy.c"), "speed,angle,dt\n" + table(x[:40], spans))
    expected = model.predict(x[:40], spans)
    assert np.abs(numbers(found.stdout) - expected).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize(
    ("source", "out", "said"),
    [
        ("gone", "p.c", "gone"),
        ("m.safetensors", "p.txt", "'p.txt' begins the names in the file"),
        ("back.safetensors", "p.c", "a network that reads backwards"),
    ],
)
def test_the_command_says_what_it_cannot_export(
    source: str, out: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    circuit = gl.auto_ncp(8, 1, inputs=2, seed=1)
    gl.save(gl.CfC(circuit), tmp_path / "m.safetensors")
    gl.save(gl.CfC(circuit, reverse=True), tmp_path / "back.safetensors")
    assert main(["export", str(tmp_path / source), "-o", str(tmp_path / out)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / out).exists()


def test_a_saved_network_takes_columns_of_the_names_of_its_inputs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gl.save(gl.CfC(gl.auto_ncp(8, 1, inputs=2, seed=1)), tmp_path / "m.safetensors")
    (tmp_path / "data.csv").write_text("sensory_1,other,sensory_0\n1,x,2\n0.5,y,0.25\n")
    out = tmp_path / "policy.c"
    words = ["export", str(tmp_path / "m.safetensors"), "-o", str(out), "--fixed", str(tmp_path / "data.csv")]
    assert main(words) == 0
    assert "differs from floats by at most: output 0 " in capsys.readouterr().out
    assert "Over 2 samples" in out.with_suffix(".h").read_text()
