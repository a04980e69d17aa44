""" "Your photograph" in the built book: the same network as in Python, and whatever a reader gives it."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Browser, FileChooser, Page, Route, expect

import camlib
from camlib import networks, photos
from tests.browsing import COLOURS
from tooling import browser_model

PAGE = "book/your-photo"
# The network is loaded again for each page, 24 MB, on a machine that may be busy.
WAIT = 60_000

# The Worker alone, without the page around it: what it makes of a file, as arrays.
HARNESS = """async ([folder, octets, name]) => {
  globalThis.harness ??= (async () => {
    const address = (path) => new URL(`${folder}_static/${path}`, location.href).href;
    const settings = await (await fetch(address('network/network.json'))).json();
    const worker = new Worker(address('your_photo/worker.mjs'), { type: 'module' });
    for (const model of settings.networks) {
      worker.postMessage({ type: 'load', settings, model, addresses: {
        script: address('ort/ort.wasm.min.mjs'), glue: address('ort/ort-wasm-simd-threaded.mjs'),
        wasm: address('ort/ort-wasm-simd-threaded.wasm'), model: address(`network/${model.file}`),
      } });
    }
    return worker;
  })();
  const worker = await globalThis.harness;
  const file = new File([Uint8Array.from(atob(octets), (c) => c.charCodeAt(0))], 'file');
  const answer = await new Promise((resolve, reject) => {
    worker.onerror = reject;
    worker.onmessage = ({ data }) => {
      if (data.type === 'failed') reject(new Error(data.message));
      if (data.type === 'explained' || data.type === 'refused') resolve(data);
    };
    worker.postMessage({ type: 'explain', id: 1, file, name });
  });
  const packed = (values) => new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(',')[1]);
    reader.readAsDataURL(new Blob([values]));
  });
  for (const name of ['maps', 'logits', 'rgb']) if (answer[name]) answer[name] = await packed(answer[name]);
  return answer;
}"""


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """A picture as the bytes of a file."""
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture(scope="module")
def explained(chromium: Browser, site: str) -> Iterator[Callable[..., dict[str, Any]]]:
    """Give the Worker a file and get a network's answer, maps, logits and pixels as arrays."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{site}_static/network/network.json")

    def explain(octets: bytes, network: str = "efficientnet_lite0") -> dict[str, Any]:
        given = [site, base64.b64encode(octets).decode(), network]
        answer: dict[str, Any] = page.evaluate(HARNESS, given)
        for name, dtype, shape in (
            ("maps", "<f4", answer.get("shape")), ("logits", "<f4", 1000), ("rgb", "u1", (224, 224, 3))
        ):  # fmt: skip
            if name in answer:
                array = np.frombuffer(base64.b64decode(answer[name]), dtype)
                answer[name] = array.reshape(shape)
        return answer

    yield explain
    context.close()


def prepared(picture: Image.Image | bytes) -> np.ndarray:
    """The pixels that PyTorch's network is given of a picture or its file, as (224, 224, 3)."""
    opened = Image.open(io.BytesIO(picture)) if isinstance(picture, bytes) else picture
    image = networks.preprocess(opened)[0].movedim(0, -1).numpy()
    octets: np.ndarray = np.rint(image * 128 + 127).astype(int)
    return octets


# ---------------------------------------------------------------- the same network as in Python


@pytest.mark.parametrize("network", browser_model.OFFERED)
def test_photographs_of_the_book(network: str, explained: Callable[..., Any], built: Path) -> None:
    """As the page hands them out: best class as PyTorch's, each cell of each map within 0.06."""
    in_torch = browser_model.OFFERED[network].build()
    for name in photos.names():
        (file,) = (
            path
            for path in (built / "_static" / "network").glob(f"{name}.*")
            if "thumbnail" not in path.name
        )
        answer = explained(file.read_bytes(), network)
        cam = camlib.class_activation_maps(in_torch, networks.preprocess(photos.load(name)))
        assert int(answer["logits"].argmax()) == int(cam.logits[0].argmax())
        assert answer["maps"].shape == cam.maps.shape[1:]
        difference = np.abs(answer["maps"] - cam.maps[0].numpy()).max()
        assert difference <= browser_model.LARGEST_DIFFERENCE
        mean = answer["maps"].mean((1, 2))
        offset = cam.offset[0].detach().numpy()
        np.testing.assert_allclose(mean + offset, answer["logits"], atol=1e-4)


TURNS = ("FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE", "ROTATE_90", "TRANSVERSE", "ROTATE_270")  # fmt: skip


def turned(orientation: int) -> bytes:
    """The cat as a camera held another way stores it, with the EXIF that says so."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    turn = Image.Transpose[TURNS[orientation - 2]]
    return encoded(photos.load("cat").transpose(turn), "JPEG", quality=95, exif=exif)


def transparent() -> bytes:
    """The cat, fading from left to right."""
    cat = photos.load("cat").convert("RGBA")
    cat.putalpha(Image.linear_gradient("L").rotate(90).resize(cat.size))
    return encoded(cat)


def with_gamma() -> bytes:
    """A PNG with a gamma that Pillow does not apply."""
    information = PngInfo()
    information.add(b"gAMA", (100_000).to_bytes(4, "big"))
    return encoded(photos.load("cat"), pnginfo=information)


def sixteen_bits() -> bytes:
    """The cat in grey values of 16 bits, which browsers make eight of."""
    grey = np.asarray(photos.load("cat").convert("L")).astype(np.uint16)
    return encoded(Image.fromarray(257 * grey))


LARGE = photos.load("coffee").resize((1200, 800))
# Files, and by how many of 255 steps a pixel may differ from Python's: not at all where pixels are stored
# without loss; by two where JPEG decoders round, seldom; by one where the browser multiplies colour and
# opacity beforehand.
GIVEN: dict[str, tuple[Callable[[], bytes], int]] = {
    "a PNG": (lambda: encoded(photos.load("cat")), 0),
    "odd sizes, halves of pixels": (lambda: encoded(photos.load("cat").resize((357, 301))), 0),
    "higher than wide": (lambda: encoded(photos.load("coffee").resize((299, 583))), 0),
    "grey": (lambda: encoded(photos.load("cat").convert("L")), 0),
    "a palette": (lambda: encoded(photos.load("cat").quantize(64)), 0),
    "one bit": (lambda: encoded(photos.load("cat").convert("1")), 0),
    "16 bits": (sixteen_bits, 1),
    "one pixel": (lambda: encoded(Image.new("RGB", (1, 1), (10, 200, 90))), 0),
    "one line": (lambda: encoded(photos.load("cat").resize((1500, 3))), 0),
    "many pixels": (lambda: encoded(photos.load("astronaut").resize((2611, 1873))), 0),
    "256 high": (lambda: encoded(photos.load("coffee").resize((384, 256))), 0),
    "a GIF": (lambda: encoded(photos.load("cat").quantize(32), "GIF"), 0),
    "a BMP": (lambda: encoded(photos.load("cat"), "BMP"), 0),
    "a WebP": (lambda: encoded(photos.load("cat"), "WebP", lossless=True), 0),
    "a gamma": (with_gamma, 0),
    "transparent": (transparent, 1),
    "a coarse JPEG": (lambda: encoded(LARGE, "JPEG", quality=50, subsampling=2), 2),
    "a fine JPEG": (lambda: encoded(LARGE, "JPEG", quality=90, subsampling=0), 2),
    "a usual JPEG": (lambda: encoded(LARGE, "JPEG", quality=90, subsampling=2), 2),
    **{f"turned, {number}": (partial(turned, number), 2) for number in range(2, 9)},
}


@pytest.mark.parametrize("given", GIVEN)
def test_prepared_as_in_python(given: str, explained: Callable[..., Any]) -> None:
    """As PyTorch's network is given them; and what a camera has turned is upright."""
    make, steps = GIVEN[given]
    octets = make()
    answer = explained(octets)
    difference = np.abs(answer["rgb"] - prepared(octets))
    assert difference.max() <= steps
    if steps == 2:
        assert difference.mean() < 0.05
    if given.startswith("turned"):
        assert (answer["width"], answer["height"]) == photos.load("cat").size
        assert np.abs(answer["rgb"] - prepared(photos.load("cat"))).mean() < 2
    if given == "transparent":  # on white
        assert max(answer["rgb"][:, 0].min(), answer["rgb"][:, -1].min()) > 180


@pytest.mark.parametrize("name", ["cat", "coffee"])
def test_the_inks_of_a_printer_have_the_same_best_class(
    name: str, explained: Callable[..., Any]
) -> None:
    """A JPEG in CMYK, whose colours browser and Pillow convert each in its own way."""
    picture = photos.load(name)
    inks = explained(encoded(picture.convert("CMYK"), "JPEG", quality=95))["logits"]
    with torch.no_grad():
        seen = networks.efficientnet_lite0()(networks.preprocess(picture))[0]
    assert int(inks.argmax()) == int(seen.argmax())


def test_a_huge_photograph(explained: Callable[..., Any]) -> None:
    """12 000 × 9000 pixels: explained like a small one, without an excuse."""
    small = photos.load("coffee").resize((480, 360))
    answer = explained(encoded(small.resize((12_000, 9000)), "JPEG", quality=60))
    assert answer["type"] == "explained"
    assert (answer["width"], answer["height"]) == (12_000, 9000)
    assert networks.class_names()[int(answer["logits"].argmax())] == "espresso"


# ---------------------------------------------------------------- files that cannot be explained

JPEG = encoded(photos.load("cat"), "JPEG")
COFFEE = encoded(photos.load("coffee"))
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)
SVG = b'<?xml version="1.0"?><!-- drawn --><svg xmlns="http://www.w3.org/2000/svg" width="9"/>'
CLAIM = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"

BAD = {
    "empty": (b"", "“a.jpg” is empty", "take another"),
    "text": (b"Dear diary, no picture today.\n" * 9, "is no picture", "Choose a JPEG, PNG"),
    "pdf": (b"%PDF-1.7\n" + bytes(99), "is no picture", "Choose a JPEG, PNG"),
    "svg": (SVG, "is a drawing (SVG)", "Save it as a PNG"),
    "heic": (HEIC, "HEIC, which this browser cannot read", "Save it as a JPEG"),
    "tiff": (encoded(photos.load("cat"), "TIFF"), "TIFF, which this browser", "JPEG or PNG"),
    "cut off": (JPEG[:300], "it is damaged", "save it"),
    "only a beginning": (b"\x89PNG\r\n\x1a\n", "it is damaged", "save it"),
    "claims gigabytes": (CLAIM, "60\u202f000 × 60\u202f000 pixels", "Save a smaller copy"),
}


@dataclass
class Reader:
    """A reader of the page, once its app is alive."""

    visited: Any

    def __post_init__(self) -> None:
        self.page: Page = self.visited.page
        expect(self.page.locator('[data-camlib-app="your_photo"][data-awake]')).to_be_visible()
        self.alert = self.page.locator(".yp-problem")
        self.explorer = self.page.locator(".yp-result .cx-app")
        self.word = self.page.locator(".cx-title strong")  # the class whose map is shown

    def choose(self, octets: bytes, name: str = "a.jpg") -> None:
        """Choose a file."""
        given = {"name": name, "mimeType": "image/jpeg", "buffer": octets}
        self.page.locator(".yp-file").set_input_files(given)

    def sees(self, name: str) -> None:
        """Wait for the map of a photograph."""
        expect(self.page.locator(".yp-seen strong")).to_have_text(name, timeout=WAIT)


@pytest.fixture
def reader(visit: Callable[..., Any]) -> Callable[..., Reader]:
    """Open the page: ``reader(width=390)``."""
    return lambda **way: Reader(visit(PAGE, **way))


def test_bad_files_are_refused_and_leave_the_last_result(reader: Callable[..., Reader]) -> None:
    """One after the other on one page: each message names file and remedy, and a good file follows."""
    page = reader()
    for octets, wrong, remedy in BAD.values():
        page.choose(octets)
        expect(page.alert).to_contain_text(wrong, timeout=WAIT)
        expect(page.alert).to_contain_text(remedy)
        expect(page.page.locator(".yp-busy")).to_be_hidden()
        assert page.explorer.count() == 0
    page.choose(JPEG, "cat.jpg")
    page.sees("cat.jpg")
    expect(page.explorer).to_be_visible()
    expect(page.alert).to_be_hidden()
    page.choose(b"", "none.jpg")
    expect(page.alert).to_contain_text("“none.jpg” is empty")
    page.sees("cat.jpg")
    expect(page.explorer).to_be_visible()
    assert page.visited.problems == []


# ---------------------------------------------------------------- a reader's ways


def test_one_of_the_books_by_one_click(reader: Callable[..., Reader]) -> None:
    """Nothing of the network is loaded before; then the map, the frame, and any of 1000 classes.

    Nothing leaves the machine: requests carry no data; once the network is there, all works without any
    connection. A setting holds for the next photograph.
    """
    opened = reader(fresh=True)
    page = opened.page
    requests: list[Any] = []
    page.context.on("request", lambda request: requests.append(request))
    assert page.evaluate(
        "performance.getEntriesByType('resource').every(e => !/ort|onnx/.test(e.name))"
    )
    button = page.get_by_role("button", name="A rocket lifting off at night Rocket")
    button.click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    opened.sees("Rocket")
    expect(page.locator(".yp-progress")).to_be_hidden()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(opened.word).to_have_text(best_of("squeezenet1_1", "rocket"))
    expect(page.locator(".yp-seen")).to_contain_text("640 × 427 pixels")
    expect(page.locator(".yp-live")).to_contain_text(
        f"first word: {best_of('squeezenet1_1', 'rocket')}"
    )
    # 224 of 256 pixels of the height, in the middle.
    frame, whole = (page.locator(s).bounding_box() for s in (".yp-frame", ".yp-whole img"))
    assert frame is not None
    assert whole is not None
    assert frame["height"] / whole["height"] == pytest.approx(224 / 256, abs=0.02)
    assert frame["width"] == pytest.approx(frame["height"], abs=1.5)
    assert frame["x"] - whole["x"] == pytest.approx((whole["width"] - frame["width"]) / 2, abs=2)
    field = page.get_by_role("combobox")
    field.fill("space shuttle")
    field.press("Enter")
    expect(opened.word).to_have_text("space shuttle")
    page.get_by_role("radio", name="Cells").check(force=True)
    asked = [request for request in requests if not request.url.startswith("data:")]
    assert any(request.url.endswith(".onnx") for request in asked)
    for request in asked:
        assert request.method == "GET", request.url
        assert request.post_data_buffer is None, request.url
        static = re.escape(opened.visited.home) + r"_static/[\w/.-]+"
        assert re.fullmatch(static, request.url), request.url
    requests.clear()
    page.context.set_offline(True)
    opened.choose(COFFEE, "second.png")
    opened.sees("second.png")
    expect(opened.word).to_have_text("espresso")
    expect(page.get_by_role("radio", name="Cells")).to_be_checked()
    assert opened.explorer.count() == 1
    page.locator(".cx-tile").nth(2).click()
    expect(page.locator(".cx-tile").nth(2)).to_have_attribute("aria-pressed", "true")
    assert [request.url for request in requests if not request.url.startswith("data:")] == []
    assert opened.visited.problems == []
    assert opened.visited.foreign == []
    # Only a photograph of the book has to be fetched, and says so.
    page.get_by_role("button", name="Astronaut").click()
    expect(opened.alert).to_contain_text("“Astronaut” did not come from this site")


def best_of(network: str, name: str) -> str:
    """Return PyTorch's best class of a photograph."""
    with torch.no_grad():
        logits = browser_model.OFFERED[network].build()(networks.preprocess(photos.load(name)))
    return networks.class_names()[int(logits.argmax())]


def test_the_other_network_is_asked(reader: Callable[..., Reader]) -> None:
    """The same photograph and class on its own grid; only then is its file fetched, and only once.

    Both first words stay beside the names, the next photograph goes to the network chosen last.
    """
    opened = reader(fresh=True)
    page = opened.page
    files: list[str] = []
    page.context.on("request", lambda request: files.append(request.url.rpartition("/")[2]))
    opened.choose(encoded(photos.load("rocket")), "rocket.png")
    opened.sees("rocket.png")
    small, large = (page.locator(".yp-networks label").nth(place) for place in range(2))
    expect(small).to_contain_text(f"says “{best_of('squeezenet1_1', 'rocket')}”")
    assert "efficientnet_lite0.onnx" not in files
    field = page.get_by_role("combobox")
    field.fill("space shuttle")
    field.press("Enter")
    large.locator("input").check()
    expect(large).to_contain_text(f"says “{best_of('efficientnet_lite0', 'rocket')}”", timeout=WAIT)
    expect(opened.word).to_have_text("space shuttle")
    expect(small).to_contain_text("says “")
    small.locator("input").check()
    expect(page.locator(".yp-live")).to_contain_text("SqueezeNet 1.1’s first word")
    large.locator("input").check()
    expect(page.locator(".yp-live")).to_contain_text("EfficientNet-Lite0’s first word")
    assert [files.count(f"{name}.onnx") for name in browser_model.OFFERED] == [1, 1]
    opened.choose(COFFEE, "second.png")
    opened.sees("second.png")
    expect(opened.word).to_have_text(best_of("efficientnet_lite0", "coffee"))
    expect(small).not_to_contain_text("says")
    assert opened.visited.problems == []


DROP = """([octets, name]) => {
  const data = new DataTransfer();
  if (octets === null) data.setData('text/uri-list', name);
  else data.items.add(new File([Uint8Array.from(atob(octets), (c) => c.charCodeAt(0))], name));
  for (const type of ['dragenter', 'dragover', 'drop']) {
    const event = new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true });
    document.querySelector('article h1').dispatchEvent(event);
    if (type === 'dragenter' && !document.querySelector('.yp-over')) throw new Error('no sign');
    if (type !== 'dragenter' && !event.defaultPrevented) throw new Error(`${type} leaves the page`);
  }
}"""
PASTE = """([octets, name]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(octets), (c) => c.charCodeAt(0))], name));
  document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
}"""
TEXT = """() => {
  const data = new DataTransfer();
  data.setData('text/plain', 'cat');
  const event = new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
  document.querySelector('article p').dispatchEvent(event);
  return event.defaultPrevented;
}"""


def test_drop_and_paste(reader: Callable[..., Reader]) -> None:
    """Anywhere on the page; the zone shows that something is over it only while there is.

    Text that a reader drags into the search field gets there. A picture dragged over from another site
    brings its address; no other site is asked.
    """
    opened = reader()
    page = opened.page
    assert not page.evaluate(TEXT)
    expect(opened.alert).to_be_hidden()
    for way, name in ((DROP, "dropped.jpg"), (PASTE, "pasted.jpg")):
        page.evaluate(way, [base64.b64encode(JPEG).decode(), name])
        opened.sees(name)
        expect(page.locator(".yp-over")).to_have_count(0)
    page.evaluate(DROP, [None, "https://example.org/cat.jpg"])
    expect(opened.alert).to_contain_text("holds no file")
    assert opened.visited.foreign == []


def test_keyboard_alone(reader: Callable[..., Reader]) -> None:
    """Tab reaches the file dialogue and each photograph; a ring shows where one is."""
    page = reader().page
    # Listening starts long before the key: the browser is told of it without waiting for its word.
    choosers: list[FileChooser] = []
    page.on("filechooser", lambda chooser: choosers.append(chooser))
    page.locator("article h1").click()
    page.keyboard.press("Tab")
    for _ in range(30):
        if page.evaluate("document.activeElement.matches('.yp-file')"):
            break
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.yp-file')")
    assert (
        page.locator(".yp-zone").evaluate("zone => getComputedStyle(zone).outlineStyle") == "solid"
    )
    page.keyboard.press("Space")
    if not choosers:
        page.wait_for_event("filechooser", timeout=WAIT)
    assert not choosers[0].is_multiple()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    expect(focused).to_have_text("Coffee")
    assert focused.evaluate("button => getComputedStyle(button).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator(".cx-title strong")).to_have_text("espresso", timeout=WAIT)


def test_the_last_choice_wins(reader: Callable[..., Reader]) -> None:
    """Whoever clicks on, before the first answer is there, gets the answer to the last click.

    Also where one of the book's photographs is still on its way.
    """
    opened = reader()
    page = opened.page
    held: list[Route] = []
    page.route("**/network/rocket.jpg", lambda route: held.append(route))
    page.get_by_role("button", name="Rocket").click()
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        opened.choose(JPEG, name)
    opened.choose(COFFEE, "last.png")
    opened.sees("last.png")
    with page.expect_response("**/network/rocket.jpg"):
        held[0].continue_()
    page.wait_for_timeout(1000)
    opened.sees("last.png")
    expect(opened.word).to_have_text("espresso")
    expect(page.get_by_role("button", name="Rocket")).to_have_attribute("aria-pressed", "false")
    assert opened.explorer.count() == 1


# ---------------------------------------------------------------- when something is missing


MISSING: list[tuple[str, dict[str, Any] | None]] = [
    ("squeezenet1_1.onnx", {"status": 404, "body": ""}),
    ("squeezenet1_1.onnx", {"body": "x"}),  # cut short
    ("ort-wasm-simd-threaded.wasm", None),  # the connection breaks
    ("ort.wasm.min.mjs", {"status": 404, "body": ""}),
    ("worker.mjs", None),
]


def test_a_network_that_does_not_load(reader: Callable[..., Reader]) -> None:
    """A message, no endless bar, and a button that asks again: for each of its parts, until all is there."""
    opened = reader()
    page = opened.page
    retry = opened.alert.get_by_role("button", name="Try again")
    for wanting, answer in MISSING:
        page.context.route(
            f"**/{wanting}",
            lambda route, _, answer=answer: route.fulfill(**answer) if answer else route.abort(),
        )
        with page.expect_request(f"**/{wanting}"):
            retry.click() if retry.is_visible() else opened.choose(JPEG, "cat.jpg")
        expect(opened.alert).to_contain_text("The network did not load", timeout=WAIT)
        expect(opened.alert).to_contain_text("check the connection, then try again")
        expect(page.locator(".yp-progress")).to_be_hidden()
        expect(page.locator(".yp-busy")).to_be_hidden()
        page.context.unroute(f"**/{wanting}")
    retry.click()
    opened.sees("cat.jpg")
    expect(opened.alert).to_be_hidden()
    # The larger network's file is missing: the smaller one's answer stays, and can be asked for again.
    page.context.route("**/efficientnet_lite0.onnx", lambda route: route.abort())
    radios = page.locator(".yp-networks input")
    radios.nth(1).click()  # not check(): the choice may be back before that has looked
    expect(opened.alert).to_contain_text("The network did not load", timeout=WAIT)
    expect(opened.explorer).to_be_visible()
    expect(radios.nth(0)).to_be_checked()
    # The smaller one needs no connection for that.
    page.context.set_offline(True)
    opened.choose(COFFEE, "second.png")
    opened.sees("second.png")
    expect(opened.alert).to_be_hidden()
    page.context.set_offline(False)
    page.context.unroute("**/efficientnet_lite0.onnx")
    radios.nth(1).check()
    expect(page.locator(".yp-live")).to_contain_text(
        "EfficientNet-Lite0’s first word", timeout=WAIT
    )


def test_while_the_larger_network_is_on_its_way(reader: Callable[..., Reader]) -> None:
    """The smaller one answers; a new photograph is not lost; the class chosen meanwhile stays."""
    opened = reader(fresh=True)
    page = opened.page
    held: list[Route] = []
    page.context.route("**/efficientnet_lite0.onnx", lambda route: held.append(route))
    opened.choose(JPEG, "cat.jpg")
    opened.sees("cat.jpg")
    radios = page.locator(".yp-networks input")
    with page.expect_request("**/efficientnet_lite0.onnx"):
        radios.nth(1).check()
    opened.choose(COFFEE, "cup.png")
    radios.nth(0).check()
    opened.sees("cup.png")
    radios.nth(1).check()
    field = page.get_by_role("combobox")
    field.fill("teapot")
    field.press("Enter")
    held[0].continue_()
    expect(page.locator(".yp-networks label").nth(1)).to_contain_text("says “", timeout=WAIT)
    opened.sees("cup.png")
    expect(opened.word).to_have_text("teapot")
    assert opened.visited.problems == []


def test_an_old_browser_is_told(visit: Callable[..., Any]) -> None:
    """Without vector instructions: which ability is missing, and where one can go instead."""
    page = visit(PAGE, fresh=True).page
    page.context.add_init_script(
        "WebAssembly.validate = () => false; delete globalThis.OffscreenCanvas;"
    )
    page.reload(wait_until="networkidle")
    alert = page.locator(".yp-problem")
    expect(alert).to_contain_text("lacks WebAssembly's vector instructions, drawing outside")
    expect(alert).to_contain_text("Firefox 114, Safari 16.4")
    expect(page.locator('[data-camlib-app="your_photo"]')).to_contain_text("three pictures below")


def test_without_scripts(visit: Callable[..., Any]) -> None:
    """The place says what scripts would add; a picture shows what would come out."""
    page = visit(PAGE, scripts=False).page
    expect(page.locator('[data-camlib-app="your_photo"]')).to_contain_text("It needs scripts")
    figure = page.locator("article svg[role=img]").first
    expect(figure).to_be_visible()
    assert len(figure.get_attribute("aria-label") or "") > 40


# ---------------------------------------------------------------- for everyone


@pytest.mark.parametrize("width", [1280, 390])
def test_accessible_with_a_result(width: int, reader: Callable[..., Reader]) -> None:
    """With a refusal and a result on show; and the page does not scroll sideways."""
    opened = reader(width=width)
    opened.choose(JPEG, "a-photograph-with-quite-a-long-name-from-my-telephone-20260101.jpg")
    expect(opened.explorer).to_be_visible(timeout=WAIT)
    opened.choose(b"", "a-file-with-quite-a-long-name-that-is-empty-20260101.jpg")
    expect(opened.alert).to_be_visible()
    assert opened.visited.barriers() == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    opened.visited.wear("dark")
    assert opened.visited.barriers(rules=COLOURS) == []
