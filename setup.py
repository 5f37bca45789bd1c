"""The step of the build that puts kernels into a wheel. Everything else about the build is in pyproject.toml.

With GANGLION_KERNELS=linux_x86_64 (or linux_aarch64, macosx_14_0_arm64, ...) in the environment, the wheel is
for that platform and carries its CPU kernels, built by the compiler that CXX names, or c++; CXX may name a
cross compiler. Without it, the wheel has no compiled code, and kernels are built at their first use.
"""

from __future__ import annotations

import importlib
import os
import shlex
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

PLATFORM_TAG = os.environ.get("GANGLION_KERNELS", "")
PACKAGE = Path(__file__).resolve().parent / "src" / "ganglion"


def machinery() -> Any:
    """The package's module that builds kernels, without the packages around it: those need NumPy and MLX."""
    for name in ("ganglion", "ganglion.compile", "ganglion.compile.kernels"):
        module = sys.modules[name] = ModuleType(name)
        module.__path__ = [str(PACKAGE.joinpath(*name.split(".")[1:]))]
    return importlib.import_module("ganglion.compile.kernels.prebuilt")


class BuildWithKernels(build_py):
    """The Python files, and the kernels if a platform is named."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        package = Path(self.build_lib, "ganglion")
        shutil.rmtree(package / "compile" / "kernels" / "prebuilt", ignore_errors=True)  # of an earlier build
        if PLATFORM_TAG:
            command = shlex.split(os.environ.get("CXX", "c++"))
            built = machinery().build_kernels(package, PLATFORM_TAG, command)
            print(f"{len(built)} kernels for {PLATFORM_TAG} by {shlex.join(command)}")


class WheelForPlatform(bdist_wheel):
    """A wheel for any Python 3 of one platform: kernels link no Python."""

    def get_tag(self) -> tuple[str, str, str]:
        return ("py3", "none", PLATFORM_TAG) if PLATFORM_TAG else super().get_tag()


class WithKernels(Distribution):
    """What is installed belongs to a platform if kernels are in it."""

    def has_ext_modules(self) -> bool:
        return bool(PLATFORM_TAG)


setup(distclass=WithKernels, cmdclass={"build_py": BuildWithKernels, "bdist_wheel": WheelForPlatform})
