#!/usr/bin/env python3
"""Opens pages of `molarena board --html` in headless Chromium and uses them as a reader would.

    molarena board --html boards.html
    MOLARENA_TEST_PAGE=$PWD/many.html cargo test -p molarena-report thirty_rows
    python3 tests/page/page.py boards.html many.html [--axe axe.min.js] [--screenshots FOLDER]

Every page is opened from disk: nothing may be loaded, the console must stay empty, tables are sorted, filtered, saved and
drilled into, two rows are compared, and the page is read again without its script. With `--axe` (axe.min.js of the npm
package axe-core), axe must find no violation. Prints the size and the time to DOMContentLoaded of each page.

Needs Chromium (the Debian package `chromium`, or CHROMIUM=PATH) and the Python package `playwright`, which need not bring
a browser of its own. Without them it says SKIPPED and succeeds; with MOLARENA_REQUIRE_BROWSER=1 it fails instead.
"""

import argparse
import json
import os
import pathlib
import shutil
import sys

# Time to DOMContentLoaded that no page may exceed, in milliseconds.
LONGEST_MS = 1000
# Height of a page that is pictured as a whole, in pixels; of a taller one, the first screen is.
TALLEST = 30_000


def skip(why):
    print(f"SKIPPED: the page was not opened in a browser: {why}", file=sys.stderr)
    sys.exit(1 if os.environ.get("MOLARENA_REQUIRE_BROWSER") == "1" else 0)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("pages", nargs="+", type=pathlib.Path)
    parser.add_argument("--axe", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    return parser.parse_args()


def column(page, table, number):
    return page.eval_on_selector_all(
        f"#{table} tbody tr:not([hidden])", "(rows, n) => rows.map(row => row.cells[n].dataset.v ?? row.cells[n].innerText)", number
    )


def sorts(page):
    """Sorting by the score, with the mouse and the keyboard; what has no score is last in both directions."""
    table = "overview-t"
    head = page.locator(f"#{table} thead th").nth(2)
    written = column(page, table, 0)
    for direction in ("ascending", "descending"):
        head.locator("button").focus()
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == direction
        values = [float(value) for value in column(page, table, 2) if value]
        assert values == sorted(values, reverse=direction == "descending"), (direction, values)
        assert "" not in column(page, table, 2)[: len(values)], "what has no score is last"
    assert sorted(column(page, table, 0)) == sorted(written)
    assert page.locator(f"#{table} th[aria-sort]").count() == 1


def filters(page):
    table = page.locator("table[id$=-tasks-t]").first.get_attribute("id")
    page.evaluate("id => { document.getElementById(id).closest('details').open = true }", table)
    view = page.locator(f"#{table}").locator("xpath=ancestor::details[1]")
    name = column(page, table, 0)[0]
    rows = len(column(page, table, 0))
    box = view.locator("input[type=search]").first
    if not box.count():
        return
    box.fill(name.upper())
    assert 0 < len(column(page, table, 0)) < rows or rows == 1, "fewer rows are shown"
    assert f"of {rows} rows" in view.locator("[role=status]").first.inner_text()
    with page.expect_download() as saved:
        view.get_by_role("button", name="Save as CSV").first.click()
    text = pathlib.Path(saved.value.path()).read_text()
    assert text.startswith("task,") and name in text and len(text.splitlines()) == 1 + len(column(page, table, 0)), text
    with page.expect_download() as saved:
        view.get_by_role("button", name="Save as JSON").first.click()
    assert json.loads(pathlib.Path(saved.value.path()).read_text())[0]["task"] == name
    box.fill("")
    assert len(column(page, table, 0)) == rows


def drills_down(page):
    """From the name of a row to what it is made of, and from a head to its meaning."""
    link = page.locator("#overview-t tbody th a").first
    row = link.get_attribute("href")[1:]
    assert not page.locator(f"#{row}").evaluate("details => details.open")
    link.click()
    page.wait_for_function("id => document.getElementById(id).open", arg=row)
    assert "Composition on" in page.locator(f"#{row}").inner_text()
    page.locator("#overview-t thead a.q").first.click()
    assert page.evaluate("location.hash") == "#g-row"


def compares(page):
    """The chart, the list and the sentence of two rows follow the choice; a click in the matrix chooses, too."""
    view = page.locator(".pair").last
    one, other = view.locator("select").nth(0), view.locator("select").nth(1)
    before = view.locator(".c1").get_attribute("d")
    first, second = one.input_value(), other.input_value()
    one.select_option(second)
    other.select_option(first)
    assert view.locator(".c1").get_attribute("d") != before
    sentence = view.locator("p[role=status]").first.inner_text()
    assert " wins " in sentence and "undefined" not in sentence and "NaN" not in sentence, sentence
    view.locator("summary", has_text="The differences as a table").click()
    pair = view.locator("table[id], table").last
    assert pair.locator("tbody tr").count() > 0
    duel = view.get_attribute("data-duel")
    page.evaluate("id => { document.getElementById(id).closest('details').open = true }", duel)
    cell = page.locator(f"#{duel} tbody tr").nth(1).locator("td").nth(0)
    counts = cell.inner_text()
    cell.click()
    assert (one.input_value(), other.input_value()) == ("1", "0")
    wins, ties, rest = counts.split("/")
    sentence = view.locator("p[role=status]").first.inner_text()
    assert f"wins {wins}, ties {ties} and loses {rest.split()[0]} " in sentence, (counts, sentence)
    one.select_option(other.input_value())
    assert view.locator("p[role=status]").first.inner_text() == "Both are the same row."


def keyboard(page):
    page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"


def axe(page, source, what):
    page.evaluate(source)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    for violation in found:
        nodes = [node["html"][:160] + " :: " + node["failureSummary"][:300] for node in violation["nodes"][:3]]
        print(f"  axe ({what}): {violation['id']} ({violation['impact']}), {len(violation['nodes'])} places: {nodes}")
    return len(found)


def narrow(page):
    """Nothing but tables and figures is wider than the screen."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"the page is {wide} pixels wider than the screen"


def check(browser, path, options):
    problems, loaded = [], []

    def opened(**context):
        page = browser.new_context(accept_downloads=True, **context).new_page()
        page.on("console", lambda message: message.type in ("error", "warning") and problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: loaded.append(request.url))
        page.goto(path.resolve().as_uri(), wait_until="load")
        return page

    def shot(page, name):
        if options.screenshots:
            options.screenshots.mkdir(parents=True, exist_ok=True)
            # Chromium draws no picture of any height.
            whole = page.evaluate("document.documentElement.scrollHeight") < TALLEST
            page.screenshot(path=options.screenshots / f"{path.stem}-{name}.png", full_page=whole)

    times = []
    for _ in range(5):
        page = opened(viewport={"width": 1280, "height": 900})
        times.append(page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"))
        page.context.close()
    page = opened(viewport={"width": 1280, "height": 900})
    shot(page, "desktop")
    narrow(page)
    violations = 0
    if options.axe:
        violations += axe(page, options.axe.read_text(), "light")
    for step in (keyboard, sorts, filters, drills_down, compares):
        step(page)
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true; scrollTo(0, 0)")
    if options.axe:
        violations += axe(page, options.axe.read_text(), "all open")
    shot(page, "open")
    page.context.close()
    for name, context in {
        "phone": {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True},
        "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    }.items():
        page = opened(**context)
        shot(page, name)
        narrow(page)
        if options.axe:
            violations += axe(page, options.axe.read_text(), name)
        page.context.close()
    page = opened(viewport={"width": 1280, "height": 900}, java_script_enabled=False)
    shot(page, "plain")
    assert page.locator("#overview-t tbody tr").first.is_visible(), "tables need no script"
    assert page.locator("button").count() == 0
    assert not page.locator(".j").first.is_visible(), "nothing promises what only the script does"
    page.context.close()
    assert not problems, problems
    assert all(url.startswith(("file:", "data:", "blob:")) for url in loaded), loaded
    size = path.stat().st_size
    print(
        f"{path.name}: {size} bytes; DOMContentLoaded after {sorted(times)[2]:.0f} ms"
        f" (median of 5, from {min(times):.0f} to {max(times):.0f}); axe: {violations if options.axe else 'not run'}"
    )
    assert size < 2_000_000, f"{size} bytes"
    assert sorted(times)[2] < LONGEST_MS, times
    assert violations == 0, f"{violations} violations"


def main():
    options = arguments()
    browser_path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not browser_path:
        skip("there is no Chromium (the Debian package `chromium`)")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        skip("there is no Python package `playwright`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for path in options.pages:
            check(browser, path, options)
        browser.close()


main()
