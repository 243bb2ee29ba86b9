"""The page in a browser, headless Chromium: what people do there, and whether all of them can."""

import csv
import io
import json
import shutil
import socket
import threading
import zipfile
from pathlib import Path

import pytest

from captioner.captioner import Captioner
from captioner.web.application import Service, build_application

uvicorn = pytest.importorskip("uvicorn")
playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
SAMPLES = Path(__file__).parents[2] / "data" / "samples"
DOG, CAT, FILM = (SAMPLES / name for name in ("dog.jpg", "cat.jpg", "shepherd_and_cat.mp4"))
PATIENCE = 120_000  # milliseconds; machines of CI may be busy
SHOWN = "canvas => canvas.toDataURL()"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        # Containers run as root, where Chromium has no sandbox.
        yield started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture(scope="module")
def captioner():
    """The bundled one: where it looks differs from word to word, unlike that of random weights."""
    return Captioner.from_preset()


@pytest.fixture
def address(captioner, library):
    """Of a server that runs in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    application = build_application(Service(captioner, "bundled", library))
    server = uvicorn.Server(uvicorn.Config(application, log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def open_page(browser, address):
    """A function that opens the page; at the end, nothing went wrong in any of them."""
    contexts, problems, asked = [], [], []

    def open_page(view="", **options):
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda line: line.type == "error" and problems.append(line.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}/{view}")
        page.wait_for_selector("#about:not(:empty)")
        return page

    yield open_page
    for context in contexts:
        context.close()
    # That a file cannot be described is an answer with an error status, which Chromium notes.
    assert [problem for problem in problems if "status of 422" not in problem] == []
    assert all(url.startswith((address, "blob:", "data:")) for url in asked)


def upload(page, *paths):
    page.set_input_files("#files", [str(path) for path in paths])
    wait_until(
        page,
        "document.querySelectorAll('.result[aria-busy=false]').length",
        lambda count: count == len(paths),
    )


def wait_until(page, expression, holds=bool):
    """Wait for the value of an expression; Playwright's own waiting is against our CSP."""
    for _ in range(PATIENCE // 50):
        if holds(page.evaluate(expression)):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{expression} is {page.evaluate(expression)}")


def saved(page, button):
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_a_word_shows_where_the_model_looked(open_page, captioner):
    page = open_page()
    upload(page, DOG)
    (said,) = captioner.generate(str(DOG), num_captions=3)
    card = page.locator(".result")
    assert card.locator(".caption").first.inner_text() == said.text
    assert card.locator(".others li").count() == 2
    words, canvas = card.locator(".caption").first.locator(".word"), card.locator("canvas")
    assert words.all_inner_texts() == list(said.words)
    maps = [canvas.evaluate(SHOWN)]
    for number in (0, 1):
        words.nth(number).hover()
        maps.append(canvas.evaluate(SHOWN))
        assert f"“{said.words[number]}”" in card.locator(".where").inner_text()
    page.mouse.move(0, 0)
    assert len(set(maps)) == 3
    # A canvas that was drawn on is as large as the image; emptied, nothing of it is left.
    assert not canvas.evaluate(
        "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(x => x)"
    )


def test_the_dark_of_the_map_is_where_the_weights_are_small(open_page, captioner):
    page = open_page()
    upload(page, DOG)
    (said,) = captioner.generate(str(DOG))
    page.locator(".word").first.hover()
    grid = page.locator("canvas").evaluate(
        """canvas => {
            const pixels = canvas.getContext("2d");
            const places = [...Array(49).keys()];
            return places.map(place => pixels.getImageData(
                (place % 7 + 0.5) / 7 * canvas.width,
                (Math.floor(place / 7) + 0.5) / 7 * canvas.height, 1, 1).data[3]);
        }"""
    )
    weights = said.attention[0, 0]
    assert min(grid) < 120 and max(grid) > 180
    darkness = [grid[place] for place in weights.argsort()]
    thirds = [sum(darkness[first : first + 16]) / 16 for first in (0, 16, 33)]
    assert thirds[0] > thirds[1] > thirds[2]


def test_files_are_dropped_anywhere(open_page):
    page = open_page("#library")
    page.evaluate(
        """bytes => {
            const dataTransfer = new DataTransfer();
            for (const name of ["one.jpg", "two.jpg"])
                dataTransfer.items.add(new File([new Uint8Array(bytes)], name));
            for (const name of ["dragover", "drop"])
                window.dispatchEvent(new DragEvent(name, { dataTransfer, cancelable: true }));
        }""",
        list(CAT.read_bytes()),
    )
    wait_until(page, "document.querySelectorAll('.result[aria-busy=false]').length === 2")
    assert page.locator(".result h2").all_inner_texts() == ["one.jpg", "two.jpg"]
    assert page.locator("#library").is_hidden()


def test_by_keyboard_alone(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "files"
    upload(page, DOG)
    # Two menus, two downloads and "Clear"; then the first word, and one stop for all words.
    for _ in range(6):
        page.keyboard.press("Tab")
    focused = "document.activeElement.matches('.caption .word:first-child')"
    assert page.evaluate(focused)
    canvas = page.locator("canvas")
    first = canvas.evaluate(SHOWN)
    page.keyboard.press("ArrowRight")
    assert page.locator(".word[aria-pressed=true]").count() == 1
    assert page.locator(".word").nth(1).get_attribute("aria-pressed") == "true"
    assert canvas.evaluate(SHOWN) != first
    page.keyboard.press("Home")
    assert page.evaluate(focused)
    page.keyboard.press("Escape")
    assert page.locator(".word[aria-pressed=true]").count() == 0
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Copy"


def test_a_screen_reader_is_told(open_page, captioner):
    page = open_page()
    upload(page, DOG)
    status = page.get_by_role("status")
    (said,) = captioner.generate(str(DOG), num_captions=3)
    assert status.inner_text() == f"dog.jpg: {said.text}"
    assert page.get_by_role("img", name=said.text).count() == 1
    group = page.get_by_role("group", name=said.text).first
    assert group.get_by_role("button").count() == len(said.words)


def test_a_clip_has_its_captions(open_page, captioner):
    page = open_page()
    upload(page, FILM)
    shots = captioner.generate(str(FILM))
    texts = page.locator(".shot > div > div > .caption").all_inner_texts()
    assert texts == [shot.text for shot in shots]
    video = page.locator("video")
    wait_until(page, "document.querySelector('video').textTracks[0]?.cues?.length === 2")
    cues = video.evaluate(
        "video => [...video.textTracks[0].cues].map(cue => [cue.startTime, cue.endTime, cue.text])"
    )
    assert cues == [[*shot.span, shot.text] for shot in shots]
    name, content = saved(page, "Subtitles of shepherd_and_cat.mp4 (VTT)")
    assert name == "shepherd_and_cat.vtt"
    assert content.decode().startswith("WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n")
    # A word leads to the frame that was looked at; the time of a shot plays it.
    blank = page.locator("canvas").evaluate(SHOWN)
    page.locator(".shot").nth(1).locator(".word").first.click()
    wait_until(page, "document.querySelector('video').currentTime >= 2")
    wait_until(page, "document.querySelector('canvas').toDataURL()", lambda shown: shown != blank)
    page.get_by_role("button", name="Play from 0:00.0").click()
    wait_until(page, "document.querySelector('video').currentTime < 2")
    page.wait_for_selector(".shot.now:first-child")


def test_a_broken_file_says_so_and_the_others_go_on(open_page, tmp_path):
    broken = tmp_path / "<b>broken.jpg"
    broken.write_bytes(DOG.read_bytes()[:300])
    page = open_page()
    upload(page, broken, CAT)
    error = page.locator(".result").first.locator(".error").inner_text()
    assert error.startswith("cannot read <b>broken.jpg (")
    assert page.locator(".result").nth(1).locator(".caption").first.inner_text()
    assert page.locator("#tally").inner_text() == "2 described"


def test_a_batch_with_words_of_ones_own(open_page, captioner):
    page = open_page()
    upload(page, DOG, CAT, FILM)
    page.get_by_role("button", name="Edit the caption of dog.jpg").click()
    page.get_by_label("Right caption").fill("our dog Rex")
    page.keyboard.press("Enter")
    assert page.locator(".result").first.locator(".caption").first.inner_text() == "our dog Rex"
    name, content = saved(page, "Table (CSV)")
    table = list(csv.DictReader(io.StringIO(content.decode())))
    best = {line["path"]: line["caption"] for line in reversed(table)}
    (cat,) = captioner.generate(str(CAT), num_captions=3)
    assert name == "captions.csv"
    assert (best["dog.jpg"], best["cat.jpg"]) == ("our dog Rex", cat.text)
    name, content = saved(page, "Everything (ZIP)")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read("dog.txt").decode() == "our dog Rex\n"
        assert "shepherd_and_cat.vtt" in archive.namelist()
        rows = [json.loads(line) for line in archive.read("captions.jsonl").splitlines()]
    assert [row["path"] for row in rows] == ["dog.jpg", "cat.jpg", "shepherd_and_cat.mp4"]
    page.get_by_role("button", name="Clear").click()
    assert page.locator(".result").count() == 0


def test_a_correction_is_found_by_search(open_page):
    page = open_page("#library")
    page.wait_for_selector(".rows li:nth-child(4)")
    assert page.locator("#found").inner_text() == "4 captions"
    page.get_by_role("button", name="Correct").nth(1).click()
    page.get_by_label("Right caption").fill("our dog Rex at the lake")
    page.get_by_role("button", name="Save").click()
    page.wait_for_selector(".mine")
    page.get_by_label("Search in captions").fill("rex lakes")
    wait_until(page, "document.querySelector('#found').textContent === '1 caption'")
    card = page.locator(".rows li")
    assert card.locator(".caption").inner_text() == "our dog Rex at the lake"
    assert "dog.jpg" in card.locator(".name").inner_text()
    wait_until(page, "document.querySelector('.rows img').naturalWidth > 0")
    card.get_by_role("button", name="Correct").click()
    page.get_by_role("button", name="Use the model's words").click()
    page.wait_for_selector(".mine", state="detached")
    page.get_by_label("Search in captions").fill("rex")
    wait_until(page, "document.querySelector('#found').textContent.startsWith('Nothing')")


def test_on_a_phone(open_page):
    page = open_page(**PHONE)
    upload(page, DOG, FILM)
    canvas = page.locator("canvas").first
    blank = canvas.evaluate(SHOWN)
    page.locator(".word").nth(1).tap()
    assert canvas.evaluate(SHOWN) != blank
    for view in ("", "#library"):
        page.goto(page.url.partition("#")[0] + view)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE["viewport"]["width"]


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_accessibility(open_page, tmp_path, colours):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"nothing")
    page = open_page(color_scheme=colours, **PHONE)
    found = serious(page)
    upload(page, DOG, FILM, broken)
    page.locator("summary").first.click()
    page.locator(".word").nth(1).tap()
    found += serious(page)
    page.get_by_role("button", name="Edit the caption of dog.jpg").click()
    found += serious(page)
    page.get_by_role("link", name="Library").click()
    page.wait_for_selector(".rows li")
    page.get_by_role("button", name="Correct").first.click()
    found += serious(page)
    assert found == []


def serious(page):
    """What axe-core (https://github.com/dequelabs/axe-core) finds to be serious or worse."""
    violations = axe.Axe().run(page).response["violations"]
    return [
        (violation["id"], [node["html"] for node in violation["nodes"]])
        for violation in violations
        if violation["impact"] in ("serious", "critical")
    ]
