"""The pages work in a browser, from the disk: no error, and everything that a script promises.

Skipped where Chromium or its driver is not installed (Debian: chromium and chromium-driver).
"""

import shutil
from pathlib import Path

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver"),
    pytest.mark.xdist_group("browser"),
]
FLAGS = (
    "--headless",
    "--no-sandbox",  # which cannot be set up by root
    "--disable-gpu",
    "--force-prefers-reduced-motion",  # no smooth scrolling between a click and its place
    "--disable-quic",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_window_size(1280, 900)
    yield driver
    driver.quit()


class Page:
    """One open page."""

    def __init__(self, driver, path: Path) -> None:
        self.driver = driver
        driver.get_log("browser")
        driver.get(path.as_uri())

    def one(self, selector: str):
        return self.driver.find_element("css selector", selector)

    def run(self, script: str, *arguments):
        return self.driver.execute_script(script, *arguments)

    def shown(self, selector: str) -> list[str]:
        return [each.text for each in self.driver.find_elements("css selector", selector) if each.is_displayed()]

    def choose(self, selector: str, value: str) -> None:
        script = "arguments[0].value = arguments[1]; for (const kind of ['input', 'change'])"
        self.run(f"{script} arguments[0].dispatchEvent(new Event(kind, {{bubbles: true}}))", self.one(selector), value)

    def until(self, script: str) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, 10).until(lambda driver: driver.execute_script(f"return {script}"))

    def press(self, *keys: str) -> None:
        self.driver.switch_to.active_element.send_keys(*keys)

    def focused(self) -> str:
        return self.run("return document.activeElement.id || document.activeElement.className")


@pytest.fixture
def index(chromium, site):
    return Page(chromium, site / "index.html")


@pytest.fixture
def result(chromium, site):
    page = Page(chromium, next(site.glob("results/*/isaid.html")))
    page.until("document.getElementById('stage').ariaBusy === 'false'")
    return page


def test_no_page_logs_an_error_runs_a_name_or_is_wider_than_a_phone(chromium, site):
    chromium.set_window_size(500, 900)
    for path in (*site.glob("*.html"), *site.glob("data/isaid*.html"), *site.glob("results/*/*.html")):
        page = Page(chromium, path)
        assert page.run("return window.broken === undefined"), path
        assert page.run("return document.documentElement.scrollWidth <= innerWidth"), path
        assert chromium.get_log("browser") == [], path
    chromium.set_window_size(1280, 900)


def test_a_column_sorts_down_up_and_back_to_groups(index):
    table = "section[data-section^='ovrisisbench-table1']"
    figures = f'[...document.querySelectorAll("{table} tr.row .mean .miou")]'
    values = f"{figures}.map((figure) => Number(figure.dataset.value))"
    grouped = index.run(f"return {values}")
    head = index.one(f"{table} th.mean button")
    head.click()
    down = index.run(f"return {values}")
    assert down == sorted(grouped, reverse=True) != grouped
    assert index.one(f"{table} th.mean").get_attribute("aria-sort") == "descending"
    assert index.shown(f"{table} tr.group") == []
    head.click()
    assert index.run(f"return {values}") == sorted(grouped)
    head.click()
    assert index.run(f"return {values}") == grouped
    assert len(index.shown(f"{table} tr.group")) == 4


def test_filters_narrow_the_rows_and_the_metric_changes_all_figures(index):
    everything = len(index.shown("tr.row"))
    index.choose("#train", "DLRSD")
    index.choose("#family", "L")
    assert 0 < len(index.shown("tr.row")) < everything
    assert index.one("#count").text == f"{len(index.shown('tr.row'))} of {everything} rows"
    assert set(index.shown("tr.group")) == {"Trained on DLRSD, backbones of size L"}
    index.choose("#find", "rskt vit-l")
    assert {text.partition("\n")[0] for text in index.shown("tr.row th")} == {"RSKT-Seg"}
    before = index.shown("tr.row td.mean")
    index.one("input[name=metric][value=macc] + span").click()
    assert before != index.shown("tr.row td.mean")
    index.choose("#find", "no such model")
    assert index.one("#empty").is_displayed()
    index.one("#clear").click()
    assert len(index.shown("tr.row")) == everything


def test_the_keyboard_opens_and_closes_where_a_figure_comes_from(index):
    from selenium.webdriver.common.keys import Keys

    index.run("document.querySelector('tr[data-row] button').focus()")
    index.press(Keys.ENTER)
    assert index.one("#provenance").is_displayed()
    assert "digest of pixels and labels" in index.one("#provenance").text
    index.press(Keys.ESCAPE)
    assert not index.one("#provenance").is_displayed()
    assert index.focused() == "open"


def test_the_theme_changes_and_is_remembered(index, chromium):
    colour = "return getComputedStyle(document.body).backgroundColor"
    found = {}
    for _ in range(3):
        index.one("#theme").click()
        found[index.run("return document.documentElement.dataset.theme || 'system'")] = index.run(colour)
    assert set(found) == {"light", "dark", "system"}
    assert found["light"] != found["dark"]
    index.one("#theme").click()
    chromium.refresh()
    assert index.run("return document.documentElement.dataset.theme") == "light"


def test_the_divider_moves_by_keyboard_and_by_pointer(result, chromium):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    place = "return document.getElementById('frame').style.getPropertyValue('--divider')"
    for _ in range(60):
        if result.focused() == "divider":
            break
        result.press(Keys.TAB)
    assert result.focused() == "divider"
    before = float(result.run(place).rstrip("%"))
    result.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert float(result.run(place).rstrip("%")) == before + 2
    frame = result.one("#frame")
    quarter = -frame.size["width"] // 4
    ActionChains(chromium).move_to_element_with_offset(frame, quarter, 0).click().perform()
    assert abs(float(result.run(place).rstrip("%")) - 25) < 2
    assert "ground truth:" in result.one("#readout").text


def test_images_are_ordered_and_filtered_by_class(result):
    figures = [float(text.split()[-1]) for text in result.shown("#strip button")]
    assert figures == sorted(figures)
    result.choose("#order", "best")
    assert [float(text.split()[-1]) for text in result.shown("#strip button")] == figures[::-1]
    counts = set()
    for value in range(15):
        result.choose("#class", str(value))
        counts.add(len(result.shown("#strip button")))
    assert min(counts) < len(figures)


def test_label_maps_are_painted_and_errors_are_those_of_the_labels(result):
    painted = "[...document.querySelectorAll('#panes canvas:not([hidden])')]"
    assert result.run(f"return {painted}.length") == 2  # ground truth, and the one model that kept its maps
    assert "no label map kept" in result.one("#panes").text
    opaque = (
        f"{painted}.map((canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data)"
        ".map((data) => data.filter((_, index) => index % 4 === 3 && data[index] === 255).length)"
    )
    labels = result.run(f"return {opaque}")
    result.choose("#mode", "errors")
    errors = result.run(f"return {opaque}")
    assert errors[0] == labels[0]
    assert 0 < errors[1] < labels[1]


def test_cost_maps_follow_the_class(result):
    for button in result.driver.find_elements("css selector", "#strip button"):
        button.click()
        result.until("document.getElementById('stage').ariaBusy === 'false'")
        if result.run("return !document.getElementById('costs').hidden"):
            break
    assert result.one("#costs-class").text.startswith("of ")
    seen = set()
    for number in range(2):
        button = result.driver.find_elements("css selector", "#keys li:not([hidden]) button")[number]
        name = button.text
        button.click()
        assert result.one("#costs-class").text == f"of {name}"
        seen.add(result.run("return document.querySelector('#costs canvas').toDataURL()"))
    assert len(seen) == 2
