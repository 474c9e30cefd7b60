# SPDX-License-Identifier: GPL-2.0-only
"""A headless Chromium, driven over the DevTools protocol through a pair of pipes.

Needs Debian's chromium and Python's standard library, nothing else.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


def find_chromium():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    return None


class Browser:
    def __init__(self, width=1440, height=900):
        self.home = tempfile.mkdtemp(prefix="slabsim-chromium.")
        to_read, self.write_fd = os.pipe()
        self.read_fd, to_write = os.pipe()
        # Chromium reads commands from 3 and answers on 4; a shell puts the pipes there.
        command = [
            "sh", "-c", 'exec "$@" 3<&%d 4>&%d' % (to_read, to_write), "sh",
            find_chromium(), "--headless", "--no-sandbox", "--disable-gpu",
            "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
            "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
            "--remote-debugging-pipe", "--user-data-dir=" + self.home,
            "--window-size=%d,%d" % (width, height), "about:blank",
        ]
        self.log = open(os.path.join(self.home, "log"), "wb")
        self.process = subprocess.Popen(
            command, pass_fds=(to_read, to_write), stdout=self.log, stderr=self.log,
            env=dict(os.environ, HOME=self.home))
        os.close(to_read)
        os.close(to_write)
        self.buffer = b""
        self.number = 0
        self.events = []
        target = self.send("Target.createTarget", {"url": "about:blank"}, session=None)
        self.session = None
        attached = self.send("Target.attachToTarget",
                             {"targetId": target["targetId"], "flatten": True}, session=None)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(domain + ".enable")
        self.resize(width, height)

    def close(self):
        try:
            self.send("Browser.close", session=None)
            self.process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def _message(self, deadline):
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.read_fd], [], [], left)[0]:
                return None
            data = os.read(self.read_fd, 1 << 20)
            if not data:
                raise OSError("chromium is gone")
            self.buffer += data
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def send(self, method, params=None, session="page", timeout=120):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = self.session
        os.write(self.write_fd, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + timeout
        while True:
            got = self._message(deadline)
            if got is None:
                raise OSError("no answer to " + method)
            if got.get("id") == self.number:
                if "error" in got:
                    raise OSError("%s: %s" % (method, got["error"]["message"]))
                return got["result"]
            if "method" in got:
                self.events.append(got)

    def open(self, url):
        self.events = []
        self.send("Page.navigate", {"url": url})
        deadline = time.monotonic() + 120
        while not any(e["method"] == "Page.loadEventFired" for e in self.events):
            got = self._message(deadline)
            if got is None:
                raise OSError("the page did not load")
            if "method" in got:
                self.events.append(got)
        self.settle()

    def eval(self, expression):
        got = self.send("Runtime.evaluate", {
            "expression": expression, "returnByValue": True, "awaitPromise": True})
        if "exceptionDetails" in got:
            raise AssertionError(expression + ": " + json.dumps(got["exceptionDetails"])[:600])
        return got["result"].get("value")

    def settle(self):
        """Until long work is done and two frames have been drawn."""
        self.eval("""(async () => {
            if (typeof busy !== 'undefined') {
                for (let was; was !== busy;) { was = busy; await busy; }
            }
            await new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)));
        })()""")

    def key(self, key, text=None):
        codes = {"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39,
                 "ArrowDown": 40, "Home": 36, "End": 35, "Tab": 9}
        params = {"key": key, "windowsVirtualKeyCode": codes.get(key, ord(key[0].upper()))}
        if text is None and len(key) == 1:
            text = key
        if key == "Enter":
            text = "\r"
        if text:
            params["text"] = text
        self.send("Input.dispatchKeyEvent", dict(params, type="keyDown" if text else "rawKeyDown"))
        self.send("Input.dispatchKeyEvent", dict(params, type="keyUp"))
        self.settle()

    def type(self, text):
        for c in text:
            self.key(c)

    def click(self, x, y):
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", {
                "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1})
        self.settle()

    def move(self, x, y):
        self.send("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})
        self.settle()

    def wheel(self, x, y, dy, ctrl=False):
        self.send("Input.dispatchMouseEvent", {
            "type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": dy,
            "modifiers": 2 if ctrl else 0})
        time.sleep(.1)
        self.settle()

    def resize(self, width, height, scale=1):
        self.send("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": False})

    def dark(self, on):
        self.send("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if on else "light"}]})
        self.settle()

    def screenshot(self, path):
        data = self.send("Page.captureScreenshot", {"format": "png"})["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))

    def requests(self):
        return [e["params"]["request"]["url"] for e in self.events
                if e["method"] == "Network.requestWillBeSent"]

    def errors(self):
        out = [json.dumps(e["params"])[:500] for e in self.events
               if e["method"] == "Runtime.exceptionThrown"]
        out += [e["params"]["entry"]["text"] for e in self.events
                if e["method"] == "Log.entryAdded" and e["params"]["entry"]["level"] == "error"]
        return out
