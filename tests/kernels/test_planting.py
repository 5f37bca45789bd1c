"""Nobody can plant code into the cache of kernels: what another user puts there never runs.

The other user is a second user of this machine, so the attacks that need one run as root (as in CI) and are
skipped for others; those that a user can do to themselves always run. Attacker and victim are forked
processes with their own user, victims root and an ordinary user.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import stat
import subprocess
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ganglion.compile.kernels import build, cache, trusted
from ganglion.errors import KernelError

SOURCE = 'extern "C" int answer() { return 42; }\n'
ROOT = os.geteuid() == 0
ATTACKER = 54321
VICTIMS = [0, 43210] if ROOT else [os.geteuid()]
as_root = pytest.mark.skipif(not ROOT, reason="needs root, to act as a second user")


class Shop(NamedTuple):
    """Where an attack takes place.

    Attributes:
        place: a directory that all may write to, sticky like /tmp.
        cache: what GANGLION_CACHE names; not there yet.
        evil: a library that answers 666 and leaves a mark.
        mark: what the evil library leaves where it was loaded, and be it only for its constructor.
        entry: the kernel's name in the cache, but for the digest of its content, which everybody can know.
    """

    place: Path
    cache: Path
    evil: Path
    mark: Path
    entry: str


def as_user(user: int, action: Callable[[], object]) -> str:
    """Do something in a forked process as a user; what it returns, or its error, as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            if ROOT and user:
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
            said = str(action())
        except BaseException:
            said = traceback.format_exc()
        os.write(writing, said.encode()[:8000])
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as file:
        said = file.read().decode()
    os.waitpid(child, 0)
    return said


def answer() -> str:
    """What the victim's kernel says, and the warnings."""
    os.umask(0o022)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        said = build.load_library(SOURCE, "answer", "answer").answer()
    for process, path in cache._own.items():  # what ends without the usual
        cache._forget(process, path)
    return " ".join((str(said), *(str(warning.message) for warning in told)))


@pytest.fixture(scope="module")
def built() -> Iterator[tuple[Path, str]]:
    """The evil library, and the kernel's name in the cache."""
    folder = Path(tempfile.mkdtemp(prefix="ganglion-test-", dir="/tmp"))
    folder.chmod(0o755)
    text = folder / "evil.cpp"
    text.write_text(
        "#include <fcntl.h>\n"
        "__attribute__((constructor)) static void mark() { open(MARK, O_CREAT | O_WRONLY, 0666); }\n"
        'extern "C" int answer() { return 666; }\n'
    )
    mark = f'-DMARK="{folder}/mark"'
    command = [*build.compiler(), "-shared", "-fPIC", mark, str(text), "-o", str(folder / "evil.so")]
    subprocess.run(command, check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANGLION_CACHE", str(folder / "own"))
        build.load_library(SOURCE, "answer", "answer")
    (path,) = (folder / "own" / "kernels").glob("*.so")
    yield folder, path.stem.rpartition("-")[0]
    shutil.rmtree(folder)


@pytest.fixture
def shop(built: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    folder, entry = built
    place = Path(tempfile.mkdtemp(prefix="ganglion-test-", dir="/tmp"))
    place.chmod(0o1777)
    monkeypatch.setenv("GANGLION_CACHE", str(place / "cache"))
    mark = folder / "mark"
    folder.chmod(0o1777)
    mark.unlink(missing_ok=True)
    yield Shop(place, place / "cache", folder / "evil.so", mark, entry)
    shutil.rmtree(place)


def plant(shop: Shop, directory: Path) -> Path:
    """Put the evil library where the kernel is looked for; the digest is its own, so proves nothing."""
    directory.mkdir(parents=True, exist_ok=True)
    data = shop.evil.read_bytes()
    path = directory / f"{shop.entry}-{cache.hashlib.sha256(data).hexdigest()[:24]}.so"
    path.write_bytes(data)
    path.chmod(0o755)
    return path


def own_cache(shop: Shop, victim: int) -> Path:
    """A cache that was the victim's from the start, with the good kernel in it."""
    assert as_user(victim, answer) == "42"
    return shop.cache / "kernels"


def give(path: Path, user: int) -> None:
    if ROOT:
        os.chown(path, user, user, follow_symlinks=False)


def require_good(shop: Shop, victim: int, *, warned: str | None) -> None:
    """The victim's kernel is the right one, and the evil library was never loaded."""
    said = as_user(victim, answer)
    assert said.partition(" ")[0] == "42", said
    assert not shop.mark.exists(), "the evil library was loaded"
    assert (warned in said) if warned else said == "42", said


@pytest.mark.parametrize("victim", VICTIMS)
def test_without_an_attack_the_cache_is_used(shop: Shop, victim: int) -> None:
    directory = own_cache(shop, victim)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    (path,) = directory.glob("*.so")
    require_good(shop, victim, warned=None)
    assert list(directory.iterdir()) == [path]


def test_the_evil_library_would_do_harm(shop: Shop) -> None:
    assert as_user(VICTIMS[-1], lambda: ctypes.CDLL(str(shop.evil)).answer()) == "666"
    assert shop.mark.exists()


# Attacks by another user, each before the victim builds a kernel, or after.


def a_writable_directory_was_there(shop: Shop, victim: int) -> None:
    os.umask(0)
    plant(shop, shop.cache)
    plant(shop, shop.cache / "kernels")
    for path in (shop.cache, shop.cache / "kernels"):
        path.chmod(0o777)


def the_directory_is_a_link(shop: Shop, victim: int) -> None:
    plant(shop, shop.place / "mine" / "kernels")
    shop.cache.symlink_to(shop.place / "mine")


def the_inner_directory_is_a_link(shop: Shop, victim: int) -> None:
    plant(shop, shop.place / "mine")
    shop.cache.mkdir()
    (shop.cache / "kernels").symlink_to(shop.place / "mine")


def a_sticky_directory_was_there(shop: Shop, victim: int) -> None:
    plant(shop, shop.cache / "kernels")
    shop.cache.chmod(0o1777)


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize(
    "attack",
    [
        a_writable_directory_was_there,
        the_directory_is_a_link,
        the_inner_directory_is_a_link,
        a_sticky_directory_was_there,
    ],
)
@as_root
def test_what_another_user_prepared_is_not_used(
    attack: Callable[[Shop, int], None], shop: Shop, victim: int
) -> None:
    assert as_user(ATTACKER, lambda: attack(shop, victim)) == "None"
    require_good(shop, victim, warned="the user with the number 54321")
    assert as_user(ATTACKER, lambda: len(list(shop.place.rglob("*.so")))) != "0"  # theirs is left alone


@pytest.mark.parametrize("victim", VICTIMS)
@as_root
def test_a_link_to_a_directory_of_ours_is_not_followed(shop: Shop, victim: int) -> None:
    ours = shop.place / "ours"
    ours.mkdir(mode=0o700)
    give(ours, victim)
    (ours / "build-it").mkdir()
    os.utime(ours / "build-it", (0, 0))
    as_user(ATTACKER, lambda: shop.cache.symlink_to(ours))
    require_good(shop, victim, warned="the user with the number 54321")
    assert [path.name for path in ours.iterdir()] == ["build-it"]


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("writable", ["cache", "kernels"])
@as_root
def test_a_directory_that_all_may_write_to_is_not_used(shop: Shop, victim: int, writable: str) -> None:
    directory = own_cache(shop, victim)
    shop.cache.chmod(0o755)
    (shop.cache if writable == "cache" else directory).chmod(0o777)
    if writable == "cache":  # the attacker puts a directory of their own in its place
        as_user(ATTACKER, lambda: directory.rename(shop.cache / "away"))
    assert as_user(ATTACKER, lambda: plant(shop, directory)).endswith(".so")
    require_good(shop, victim, warned="mode 0777")
    # Nor is it made private and trusted from then on.
    assert stat.S_IMODE((shop.cache if writable == "cache" else directory).stat().st_mode) == 0o777
    require_good(shop, victim, warned="mode 0777")


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o775])
@as_root
def test_a_parent_that_others_may_write_to_is_not_used(shop: Shop, victim: int, mode: int) -> None:
    home = shop.place / "home"
    home.mkdir()
    home.chmod(mode)
    give(home, victim)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANGLION_CACHE", str(home / "deep" / "cache"))
        require_good(shop, victim, warned=f"{home} can be written by others (mode {mode:04o})")
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("victim", VICTIMS)
@as_root
def test_a_home_of_somebody_else_is_not_used(
    shop: Shop, victim: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = shop.place / "home"
    as_user(ATTACKER, home.mkdir)
    monkeypatch.delenv("GANGLION_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(home))
    require_good(shop, victim, warned=f"{home} belongs to the user with the number 54321")


@pytest.mark.parametrize("victim", VICTIMS)
@as_root
def test_a_place_for_temporary_files_that_all_may_change_is_not_used(
    shop: Shop, victim: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.place.chmod(0o777)
    monkeypatch.setattr(tempfile, "tempdir", str(shop.place))
    require_good(shop, victim, warned=f"{shop.place} can be written by others")
    made = Path(as_user(victim, cache.cache_directory))
    assert made.parent == Path("/tmp").resolve()
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    made.rmdir()


# Entries of a directory that is the victim's own: how they came there does not matter.


def replaced(shop: Shop, victim: int) -> Path:
    """The evil library in place of the good one, otherwise as the victim's own would be."""
    directory = own_cache(shop, victim)
    for path in directory.glob("*.so"):
        path.unlink()
    path = plant(shop, directory)
    path.chmod(0o700)
    give(path, victim)
    return path


def of_another_user(path: Path, shop: Shop) -> None:
    give(path, ATTACKER)


def group_writable(path: Path, shop: Shop) -> None:
    path.chmod(0o770)


def all_writable(path: Path, shop: Shop) -> None:
    path.chmod(0o702)


def symbolic_link(path: Path, shop: Shop) -> None:
    path.rename(shop.place / "real.so")
    path.symlink_to(shop.place / "real.so")


def hard_link(path: Path, shop: Shop) -> None:
    os.link(path, shop.place / "other.so")


def fifo(path: Path, shop: Shop) -> None:
    path.unlink()
    os.mkfifo(path, 0o700)


def folder(path: Path, shop: Shop) -> None:
    path.unlink()
    path.mkdir(0o700)
    (path / "file").write_text("")


def unix_socket(path: Path, shop: Shop) -> None:
    path.unlink()
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)
    os.chdir(here)


def dangling_link(path: Path, shop: Shop) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def link_to_a_device(path: Path, shop: Shop) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def device(path: Path, shop: Shop) -> None:
    path.unlink()
    os.mknod(path, 0o700 | stat.S_IFCHR, os.makedev(1, 5))  # as /dev/zero, which never ends


def enormous(path: Path, shop: Shop) -> None:
    os.truncate(path, 2**40)  # a sparse file


def empty(path: Path, shop: Shop) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize(
    "disguise",
    [
        pytest.param(of_another_user, marks=as_root),
        group_writable,
        all_writable,
        symbolic_link,
        hard_link,
        fifo,
        folder,
        unix_socket,
        dangling_link,
        link_to_a_device,
        pytest.param(device, marks=as_root),
        enormous,
        empty,
    ],
)
def test_an_entry_that_is_not_ours_alone_is_built_again(
    disguise: Callable[[Path, Shop], None], shop: Shop, victim: int
) -> None:
    path = replaced(shop, victim)
    try:
        disguise(path, shop)
    except PermissionError:
        pytest.skip("this machine lets nobody make a device")
    if path.exists() and not path.is_symlink():  # as the victim's own would be
        give(path, ATTACKER if disguise is of_another_user else victim)
    require_good(shop, victim, warned=None)
    assert not os.path.lexists(path)  # it was removed
    (good,) = path.parent.glob("*.so")
    assert stat.S_IMODE(good.stat().st_mode) == 0o700


# Races.


@pytest.mark.parametrize("victim", VICTIMS)
def test_what_was_checked_is_what_is_loaded(shop: Shop, victim: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the check and the loading, the worst that can happen: the entry is another file."""
    if not Path("/proc/self/fd").exists():
        pytest.skip("without /proc, the loader takes a path; the directory alone keeps others away")
    (path,) = own_cache(shop, victim).glob("*.so")
    load, evil = ctypes.CDLL, shop.evil.read_bytes()

    def exchanged(place: str) -> ctypes.CDLL:
        new = path.with_name("new")
        new.write_bytes(evil)
        new.replace(path)
        return load(place)

    monkeypatch.setattr(ctypes, "CDLL", exchanged)
    require_good(shop, victim, warned=None)
    assert path.read_bytes() == evil


@pytest.mark.parametrize("sticky", [True, False])
@pytest.mark.parametrize("victim", VICTIMS)
@as_root
def test_an_attacker_who_exchanges_directories_all_the_time(shop: Shop, victim: int, sticky: bool) -> None:
    directory = own_cache(shop, victim)
    shop.place.chmod(0o1777 if sticky else 0o777)
    mine = shop.place / "mine"
    as_user(ATTACKER, lambda: plant(shop, mine / "kernels"))

    def exchange() -> None:
        away = shop.place / "away"
        end = time.monotonic() + 2
        while time.monotonic() < end:
            for source, target in (
                (shop.cache, away),
                (mine, shop.cache),
                (shop.cache, mine),
                (away, shop.cache),
            ):
                try:
                    source.rename(target)
                except OSError:
                    continue

    def many() -> str:
        said = {answer().partition(" ")[0] for _ in range(20)}
        return ", ".join(sorted(said))

    attacker = os.fork()
    if not attacker:
        as_user(ATTACKER, exchange)
        os._exit(0)
    said = as_user(victim, many)
    os.waitpid(attacker, 0)
    assert said == "42"
    assert not shop.mark.exists()
    assert directory.exists() or not sticky


def test_a_number_of_a_file_is_never_used_twice(shop: Shop) -> None:
    """The loader takes libraries of one name for the same, so a number that was closed must stay unused."""
    shop.place.chmod(0o700)

    def closing() -> list[int]:
        said = []
        for number in range(3):
            source = SOURCE.replace("42", str(number))
            said.append(build.load_library(source, "answer", "answer").answer())
            os.close(build._highest)  # as one that becomes a daemon closes all files
        return said

    assert as_user(VICTIMS[0], closing) == "[0, 1, 2]"


def test_paths_that_lead_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("../" + tmp_path.name + "/a")
    with pytest.raises(trusted.UntrustedError, match="more than 40 symbolic links"):
        trusted.private_directory(tmp_path / "a" / "c")


def test_links_of_ours_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real/./deep/../deep")
    (tmp_path / "absolute").symlink_to(tmp_path / "link")
    found = trusted.private_directory(tmp_path / "absolute" / "cache")
    assert found == (tmp_path / "real" / "deep" / "cache").resolve()
    assert stat.S_IMODE(found.stat().st_mode) == 0o700


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(trusted.UntrustedError, match="file is no directory"):
        trusted.private_directory(tmp_path / "file" / "cache")


def test_no_place_at_all_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANGLION_CACHE", str(tmp_path / "file"))

    def full(**options: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(KernelError, match=r"no place for built kernels: .*file is no directory"):
            cache.cache_directory()
