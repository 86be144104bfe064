"""A headless Chromium for the tests of page and report, with all that it logged and every request that it made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
]


class Browser:
    """A thin hold on selenium's driver."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, url: str, width: int = 1280, height: int = 900) -> None:
        self.resize(width, height)
        self.driver.get(url)

    def resize(self, width: int, height: int) -> None:
        # Windows have a least width; the emulated screen has not.
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def dark(self, is_dark: bool = True) -> None:
        feature = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, seconds: float = 10) -> Any:
        """Waits until a script returns something true; fails with the page's text."""
        from selenium.common.exceptions import TimeoutException
        from selenium.webdriver.support.ui import WebDriverWait

        condition: Callable[[Any], Any] = lambda driver: driver.execute_script(script)  # noqa: E731
        try:
            return WebDriverWait(self.driver, seconds, poll_frequency=0.02).until(condition)
        except TimeoutException:
            raise AssertionError(f"{script} stayed false; the page: {self.text()[:800]}; {self.log()}") from None

    def text(self) -> str:
        return str(self.js("return document.body.innerText"))

    def log(self) -> list[str]:
        """What the console said since the last call: errors and warnings, also of the security policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Addresses asked for since the last call, over the network or refused before it."""
        urls = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.append(message["params"]["request"]["url"])
        return urls

    def screenshot(self, path: Path, *, whole_page: bool = False) -> None:
        if whole_page:
            self.resize(int(self.js("return innerWidth")), int(self.js("return document.documentElement.scrollHeight")))
        self.driver.save_screenshot(str(path))


@contextmanager
def start_browser(profile: Path) -> Iterator[Browser]:
    """Chromium with a fresh profile; skips the test where browser, driver or selenium is absent."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium (pip install selenium)")
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not chromedriver:
        pytest.skip("needs chromium and chromedriver (apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=chromedriver))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
