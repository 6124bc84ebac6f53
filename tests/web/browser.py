"""Headless Chromium over the WebDriver protocol: plain HTTP, so httpx is all it takes."""

import base64
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMEDRIVER = shutil.which("chromedriver")

ENTER, ESCAPE, TAB, CONTROL = "\ue007", "\ue00c", "\ue004", "\ue009"

_FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,900",
]
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_T = TypeVar("_T")


class Browser:
    """One session of Chromium."""

    def __init__(self, client: httpx.Client, session: str) -> None:
        self._client = client
        self._session = session

    def _call(self, method: str, path: str, body: object = None) -> Any:
        answer = self._client.request(method, f"/session/{self._session}{path}", json=body)
        value = answer.json()["value"]
        if answer.is_error:
            raise AssertionError(f"{value['error']}: {value['message']}")
        return value

    def open(self, url: str) -> None:
        """Go to a page and wait until it has loaded."""
        self._call("POST", "/url", {"url": url})

    def run(self, script: str, *arguments: object) -> Any:
        """What a JavaScript function body returns."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def devtools(self, command: str, **parameters: object) -> Any:
        """Send one DevTools command."""
        return self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def find(self, css: str) -> str:
        """The id of the first element that matches, once there is one."""

        def look() -> str | None:
            found = self._call("POST", "/elements", {"using": "css selector", "value": css})
            return str(found[0][_ELEMENT]) if found else None

        return self.wait(look, f"{css} is on the page")

    def click(self, css: str) -> None:
        """Click the first element that matches."""
        self._call("POST", f"/element/{self.find(css)}/click", {})

    def type(self, css: str, text: str) -> None:
        """Type into the first element that matches."""
        self._call("POST", f"/element/{self.find(css)}/value", {"text": text})

    def press(self, *keys: str) -> None:
        """Hold the keys down together, then release them."""
        down = [{"type": "keyDown", "value": key} for key in keys]
        up = [{"type": "keyUp", "value": key} for key in reversed(keys)]
        source = {"type": "key", "id": "keyboard", "actions": down + up}
        self._call("POST", "/actions", {"actions": [source]})

    def text(self, css: str = "body") -> str:
        """The visible text of the first element that matches."""
        script = "return document.querySelector(arguments[0])?.innerText ?? ''"
        # Monaco writes its spaces as no-break ones.
        return str(self.run(script, css)).replace("\xa0", " ")

    def wait_for_text(self, text: str, css: str = "body") -> None:
        """Wait until the text is visible."""
        self.wait(lambda: text in self.text(css) or None, f"{text!r} is visible in {css}")

    def wait(self, condition: Callable[[], _T | None], what: str, seconds: float = 20) -> _T:
        """Wait until the condition gives something.

        Raises:
            AssertionError: It did not, in time.
        """
        end = time.monotonic() + seconds
        while True:
            found = condition()
            if found is not None:
                return found
            if time.monotonic() > end:
                raise AssertionError(f"not after {seconds} s: {what}\n{self.text()[:2000]}")
            time.sleep(0.05)

    def screenshot(self, path: Path) -> None:
        """Save what the window shows."""
        path.write_bytes(base64.b64decode(self._call("GET", "/screenshot")))

    def requested(self) -> list[str]:
        """The addresses asked for since the last call, workers and sockets included."""
        urls = []
        for entry in self._call("POST", "/se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.append(message["params"]["request"]["url"])
            elif message["method"] == "Network.webSocketCreated":
                urls.append(message["params"]["url"])
        return urls

    def console(self) -> list[str]:
        """What the pages complained about since the last call: faults, refused loads."""
        return [entry["message"] for entry in self._call("POST", "/se/log", {"type": "browser"})]


@contextmanager
def start_browser(profile: Path) -> Iterator[Browser]:
    """Chromium with an empty profile, ended with the block."""
    assert CHROMIUM
    assert CHROMEDRIVER
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = profile / "chromedriver.log"
    with subprocess.Popen(
        [CHROMEDRIVER, f"--port={port}", f"--log-path={log}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as driver:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                _wait_ready(client)
                session = client.post("/session", json=_capabilities(profile)).json()["value"]
                yield Browser(client, session["sessionId"])
                client.delete(f"/session/{session['sessionId']}")
        finally:
            driver.terminate()


def _capabilities(profile: Path) -> dict[str, Any]:
    wanted = {
        "browserName": "chrome",
        "goog:chromeOptions": {
            "binary": CHROMIUM,
            "args": [*_FLAGS, f"--user-data-dir={profile / 'profile'}"],
        },
        "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
    }
    return {"capabilities": {"alwaysMatch": wanted}}


def _wait_ready(client: httpx.Client) -> None:
    for _ in range(200):
        try:
            if client.get("/status").json()["value"]["ready"]:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("chromedriver did not start")
