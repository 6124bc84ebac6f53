"""Speech is cut into windows that the speech model hears in one go."""

import numpy as np

from app.engines.audio.mel import log_mel
from app.engines.audio.windows import MAX_WINDOWS, WINDOW, Window, speech_windows

MINUTE = 6_000


def speech(frames: int, *spans: tuple[int, int]) -> np.ndarray:
    """Probabilities of speech with speech in these spans."""
    found = np.full(frames, 0.05, np.float32)
    for start, end in spans:
        found[start:end] = 0.9
    return found


def test_silence_has_no_windows() -> None:
    assert speech_windows(speech(MINUTE)) == ([], True)


def test_a_click_is_no_speech() -> None:
    assert speech_windows(speech(MINUTE, (100, 110))) == ([], True)


def test_speech_is_packed_without_the_gaps() -> None:
    windows, is_whole = speech_windows(speech(4 * MINUTE, (100, 600), (6_000, 6_700)))
    assert windows == [Window(((80, 620), (5_980, 6_720)))]
    assert is_whole


def test_times_are_those_of_the_recording() -> None:
    window = Window(((80, 620), (5_980, 6_720)))
    assert window.seconds_at(0) == 0.8
    assert window.seconds_at(5.3) == 6.1
    assert window.seconds_at(5.4) == 59.8
    assert window.seconds_at(100) == 67.2


def test_long_speech_is_cut_where_it_pauses() -> None:
    found = speech(MINUTE, (0, MINUTE))
    found[1_150:1_170] = 0.42
    windows, _ = speech_windows(found)
    assert windows[0].spans[0][0] == 0
    assert 1_150 <= windows[0].spans[0][1] <= 1_170
    assert len(windows) == 5
    assert all(end - start <= WINDOW for w in windows for start, end in w.spans)
    assert windows[-1].spans[-1][1] == MINUTE


def test_of_many_windows_spread_ones_are_heard() -> None:
    windows, is_whole = speech_windows(speech(240 * MINUTE, (0, 240 * MINUTE)))
    assert len(windows) == MAX_WINDOWS
    assert not is_whole
    starts = np.array([window.spans[0][0] for window in windows])
    assert starts[0] == 0
    assert starts[-1] > 235 * MINUTE
    assert np.diff(starts).max() < 1.5 * np.diff(starts).mean()


def test_a_tone_is_in_its_band() -> None:
    at = np.arange(16_000) / 16_000
    mel = log_mel(np.asarray(np.sin(2 * np.pi * 1_000 * at), np.float32))
    assert mel.shape == (80, 100)
    # 1,000 Hz is the fifteenth mel: of 45.2 mels in 81 steps, the 26th band is nearest.
    assert int(mel[:, 50].argmax()) == 26
