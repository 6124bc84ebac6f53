"""What happens to the processes that decode costs one file, and never the server."""

import os
import resource
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.engines.errors import ModelUnavailable, UnreadableMedia
from app.media import limits, process
from app.media.decoder import Decoder
from app.media.wire import Message
from tests.media.samples import media, save_sound, scene, tone

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def alone() -> Iterator[Decoder]:
    """A decoder of this test's own."""
    decoder = Decoder()
    yield decoder
    decoder.close()


def pids(decoder: Decoder) -> list[int]:
    """The children of a decoder."""
    with decoder._lock:
        idle = [child for children in decoder._idle.values() for child in children]
        return [child.pid for child in [*decoder._busy, *idle]]


def is_gone(pid: int) -> bool:
    """Whether a process has ended, a zombie counting as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for something that happens elsewhere."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_children_are_kept_and_shared(alone: Decoder, tmp_path: Path) -> None:
    scene(1).save(tmp_path / "a.png")
    image = media(tmp_path / "a.png")
    alone.image(image)
    first = pids(alone)
    alone.image(image)
    assert pids(alone) == first
    with ThreadPoolExecutor(8) as threads:
        shapes = list(threads.map(lambda _: alone.image(image).frames[0].shape, range(40)))
    assert shapes == [(180, 320, 3)] * 40
    kept = set(pids(alone))
    assert len(kept) <= len(os.sched_getaffinity(0))
    alone.image(image)
    assert set(pids(alone)) == kept


def test_a_killed_child_costs_one_file(alone: Decoder, tmp_path: Path) -> None:
    path = save_sound(tmp_path / "a.wav", tone(65, 8_000), codec="pcm_s16le", rate=8_000)
    with alone.sound(media(path)) as chunks:
        next(chunks)
        (pid,) = pids(alone)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(UnreadableMedia, match="damaged, or takes too much"):
            list(chunks)
    with alone.sound(media(path)) as chunks:
        assert sum(len(chunk) for chunk in chunks) == 65 * 16_000
    assert pid not in pids(alone)


def test_one_killed_while_idle_costs_none(alone: Decoder, tmp_path: Path) -> None:
    scene(1).save(tmp_path / "a.png")
    alone.image(media(tmp_path / "a.png"))
    (child,) = alone._idle["image"]
    os.kill(child.pid, signal.SIGKILL)
    # It is a zombie a moment before its parent can know.
    wait_until(lambda: not child.is_fit)
    assert alone.image(media(tmp_path / "a.png")).width == 320


@pytest.mark.parametrize("kind", ["image", "sound"])
def test_one_killed_before_it_took_the_file_costs_none(
    alone: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    scene(1).save(tmp_path / "a.png")
    path = save_sound(tmp_path / "a.wav", tone(5, 8_000), codec="pcm_s16le", rate=8_000)

    def decode() -> int:
        if kind == "image":
            return alone.image(media(tmp_path / "a.png")).width
        with alone.sound(media(path)) as chunks:
            return sum(len(chunk) for chunk in chunks)

    wanted = decode()
    (child,) = alone._idle[kind]
    os.kill(child.pid, signal.SIGKILL)
    wait_until(lambda: is_gone(child.pid))
    # As if it had been alive a moment ago.
    monkeypatch.setattr(process.Child, "is_fit", True)
    assert decode() == wanted


def test_a_file_that_ends_its_child_is_tried_once(
    alone: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Decoding it takes longer than a signal.
    scene(5, 4000, 3000).save(tmp_path / "a.png")
    receive = process.receive
    killed = []

    def receive_and_kill(peer: socket.socket) -> Message:
        message = receive(peer)
        if "taken" in message:
            (child,) = alone._busy
            os.kill(child.pid, signal.SIGKILL)
            killed.append(child.pid)
        return message

    monkeypatch.setattr(process, "receive", receive_and_kill)
    with pytest.raises(UnreadableMedia, match="damaged, or takes too much"):
        alone.image(media(tmp_path / "a.png"))
    assert len(killed) == 1


def test_a_hang_ends_with_its_time(
    alone: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(process.TIMES, "image", limits.Time(cpu=1, wait=0.4))
    scene(1).save(tmp_path / "a.png")
    alone.image(media(tmp_path / "a.png"))
    (pid,) = pids(alone)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(UnreadableMedia, match="too long"):
        alone.image(media(tmp_path / "a.png"))
    wait_until(lambda: is_gone(pid))
    assert alone.image(media(tmp_path / "a.png")).width == 320


def test_a_slow_reader_is_no_hang(
    alone: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(process.TIMES, "sound", limits.Time(cpu=1, wait=2))
    path = save_sound(tmp_path / "a.wav", tone(125, 8_000), codec="pcm_s16le", rate=8_000)
    with alone.sound(media(path)) as chunks:
        count = 0
        for _ in chunks:
            time.sleep(0.6)
            count += 1
    assert count == 5


def test_one_that_has_worked_enough_is_replaced(
    alone: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "MAX_REQUESTS", 2)
    scene(1).save(tmp_path / "a.png")
    image = media(tmp_path / "a.png")
    alone.image(image)
    (first,) = pids(alone)
    alone.image(image)
    assert pids(alone) == []
    assert is_gone(first)
    alone.image(image)
    assert len(pids(alone)) == 1


def test_closing_ends_all_and_what_they_are_at(tmp_path: Path) -> None:
    decoder = Decoder()
    path = save_sound(tmp_path / "a.wav", tone(65, 8_000), codec="pcm_s16le", rate=8_000)
    scene(1).save(tmp_path / "a.png")
    decoder.image(media(tmp_path / "a.png"))
    failed = threading.Event()
    started = threading.Event()

    def read() -> None:
        with decoder.sound(media(path)) as chunks:
            next(chunks)
            started.set()
            while not decoder._is_closed:
                time.sleep(0.01)
            try:
                list(chunks)
            except UnreadableMedia:
                failed.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert started.wait(10)
    children = pids(decoder)
    decoder.close()
    reader.join(10)
    assert failed.is_set()
    assert all(is_gone(pid) for pid in children)
    with pytest.raises(ModelUnavailable):
        decoder.image(media(tmp_path / "a.png"))


def test_children_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    path = save_sound(tmp_path / "a.wav", tone(125, 8_000), codec="pcm_s16le", rate=8_000)
    scene(1).save(tmp_path / "a.png")
    script = textwrap.dedent(f"""
        from pathlib import Path
        from app.engines.contract import Media
        from app.media.decoder import Decoder
        decoder = Decoder()
        decoder.image(Media(Path({str(tmp_path / "a.png")!r}), "image/png"))
        with decoder.sound(Media(Path({str(path)!r}), "audio/wav")) as chunks:
            next(chunks)
            children = [*decoder._busy, *(c for idle in decoder._idle.values() for c in idle)]
            print(*(child.pid for child in children), flush=True)
            input()
    """)
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        children = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(children) == 2
        assert not any(is_gone(pid) for pid in children)
        parent.kill()
        parent.wait()
        wait_until(lambda: all(is_gone(pid) for pid in children))


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="limits are read from /proc")
def test_a_child_has_its_limits(alone: Decoder, tmp_path: Path) -> None:
    scene(1).save(tmp_path / "a.png")
    alone.image(media(tmp_path / "a.png"))
    (pid,) = pids(alone)
    _, *lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    found = {line[:26].strip(): line[26:].split()[:2] for line in lines}
    opened = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    assert found["Max core file size"] == ["0", "0"]
    assert found["Max file size"] == ["0", "0"]
    # The file to decode and not one more.
    assert found["Max open files"] == [str(opened + 1)] * 2
    assert int(found["Max address space"][0]) < 4 * 1024**3
    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    assert {entry.partition(b"=")[0] for entry in environment if entry} <= {
        b"PYTHONPATH",
        b"PYTHONUTF8",
        b"LC_CTYPE",
    }


def test_a_loop_ends_with_its_processor_time() -> None:
    script = textwrap.dedent("""
        from app.media.confinement import cpu_limit
        with cpu_limit(0):
            while True:
                pass
    """)
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=30, check=False)
    assert ended.returncode == -signal.SIGXCPU


def test_memory_beyond_the_limit_is_refused_by_the_kernel() -> None:
    script = textwrap.dedent("""
        import socket
        from app.media.confinement import Confinement
        ours, theirs = socket.socketpair()
        confinement = Confinement(ours, steps_back=True)
        bytearray(500 * 1024 * 1024)
        try:
            bytearray(1100 * 1024 * 1024)
        except MemoryError:
            raise SystemExit(7)
    """)
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=30, check=False)
    assert ended.returncode == 7
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY
