""" "Your photograph" in the built book: the same network as in Python, and whatever a reader gives it."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, FileChooser, Locator, Page, Route, expect

import camlib
from camlib import networks, photos
from tooling import browser_model

PAGE = "book/your-photo"
ASSETS = Path(camlib.__file__).parent / "assets" / "photos"

# The network is loaded anew for each page, 24 MB, on a machine that may be busy.
WAIT = 60_000

# The Worker alone, without the page around it: what it makes of a file, as arrays.
HARNESS = """async ([folder, octets]) => {
  globalThis.harness ??= (async () => {
    const address = (path) => new URL(`${folder}_static/${path}`, location.href).href;
    const network = await (await fetch(address('network/network.json'))).json();
    const worker = new Worker(address('your_photo/worker.mjs'), { type: 'module' });
    worker.postMessage({ type: 'load', network, addresses: {
      script: address('ort/ort.wasm.min.mjs'), glue: address('ort/ort-wasm-simd-threaded.mjs'),
      wasm: address('ort/ort-wasm-simd-threaded.wasm'), model: address(`network/${network.model.file}`),
    } });
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
    worker.postMessage({ type: 'explain', id: 1, file });
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


def turned(picture: Image.Image, orientation: int) -> tuple[Image.Image, Image.Exif]:
    """A picture as a camera stores it that was held otherwise, and the EXIF that says so."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    return picture.transpose(undo[orientation]), exif


def transparent() -> Image.Image:
    """The cat, fading from left to right."""
    cat = photos.load("cat").convert("RGBA")
    cat.putalpha(Image.linear_gradient("L").rotate(90).resize(cat.size))
    return cat


@pytest.fixture(scope="module")
def explained(chromium: Browser, site: str) -> Iterator[Callable[[bytes], dict[str, Any]]]:
    """Give the Worker a file and get its answer, maps, logits and pixels as arrays."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{site}_static/network/network.json")

    def explain(octets: bytes) -> dict[str, Any]:
        answer: dict[str, Any] = page.evaluate(HARNESS, [site, base64.b64encode(octets).decode()])
        for name, dtype in (("maps", "<f4"), ("logits", "<f4"), ("rgb", "u1")):
            if name in answer:
                answer[name] = np.frombuffer(base64.b64decode(answer[name]), dtype)
        return answer

    yield explain
    context.close()


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    """The network as PyTorch runs it."""
    return networks.efficientnet_lite0()


def pixels(images: torch.Tensor) -> np.ndarray:
    """The bytes behind normalised images, as (224, 224, 3)."""
    octets: np.ndarray = np.rint(images[0].movedim(0, -1).numpy() * 128 + 127).astype(int)
    return octets


# ---------------------------------------------------------------- the same network as in Python


@pytest.mark.parametrize("name", photos.names())
def test_photographs_of_the_book(
    name: str, explained: Callable[..., Any], network: torch.nn.Module, built: Path
) -> None:
    """As the page hands them out: best class as PyTorch's, each of 49 000 cells within 0.06."""
    (file,) = (
        path
        for path in (built / "_static" / "network").glob(f"{name}.*")
        if "thumbnail" not in path.name
    )
    answer = explained(file.read_bytes())
    cam = camlib.class_activation_maps(network, networks.preprocess(photos.load(name)))
    assert int(answer["logits"].argmax()) == int(cam.logits[0].argmax())
    difference = np.abs(answer["maps"].reshape(1000, 7, 7) - cam.maps[0].numpy()).max()
    assert difference <= browser_model.LARGEST_DIFFERENCE
    mean = answer["maps"].reshape(1000, 49).mean(1)
    offset = cam.offset[0].detach().numpy()
    np.testing.assert_allclose(mean + offset, answer["logits"], atol=1e-4)


GIVEN = {
    "a PNG": lambda: encoded(photos.load("cat")),
    "odd sizes, halves of pixels": lambda: encoded(photos.load("cat").resize((357, 301))),
    "higher than wide": lambda: encoded(photos.load("coffee").resize((299, 583))),
    "grey": lambda: encoded(photos.load("cat").convert("L")),
    "a palette": lambda: encoded(photos.load("cat").quantize(64)),
    "one pixel": lambda: encoded(Image.new("RGB", (1, 1), (10, 200, 90))),
    "one line": lambda: encoded(photos.load("cat").resize((1500, 3))),
    "many pixels": lambda: encoded(photos.load("astronaut").resize((2611, 1873))),
    "256 high": lambda: encoded(photos.load("coffee").resize((384, 256))),
    "a GIF": lambda: encoded(photos.load("cat").quantize(32), "GIF"),
    "a BMP": lambda: encoded(photos.load("cat"), "BMP"),
    "a WebP": lambda: encoded(photos.load("cat"), "WebP", lossless=True),
}


@pytest.mark.parametrize("given", GIVEN)
def test_prepared_as_in_python(given: str, explained: Callable[..., Any]) -> None:
    """To the last bit of each pixel, for files that store pixels without loss."""
    octets = GIVEN[given]()
    wanted = pixels(networks.preprocess(Image.open(io.BytesIO(octets))))
    np.testing.assert_array_equal(explained(octets)["rgb"].reshape(224, 224, 3), wanted)


@pytest.mark.parametrize("quality", [50, 90])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_jpeg(quality: int, subsampling: int, explained: Callable[..., Any]) -> None:
    """A JPEG decoder may round otherwise; by one or two steps of 255 at most, and seldom."""
    octets = encoded(
        photos.load("coffee").resize((1200, 800)), "JPEG", quality=quality, subsampling=subsampling
    )
    wanted = pixels(networks.preprocess(Image.open(io.BytesIO(octets))))
    difference = np.abs(explained(octets)["rgb"].reshape(224, 224, 3) - wanted)
    assert difference.max() <= 2
    assert difference.mean() < 0.05


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_photograph_is_turned_upright(
    orientation: int, explained: Callable[..., Any]
) -> None:
    """Stored in any of the seven other ways, it is what the upright file is."""
    cat = photos.load("cat")
    stored, exif = turned(cat, orientation)
    octets = encoded(stored, "JPEG", quality=95, exif=exif)
    answer = explained(octets)
    assert (answer["width"], answer["height"]) == cat.size
    wanted = pixels(networks.preprocess(cat))
    assert np.abs(answer["rgb"].reshape(224, 224, 3) - wanted).mean() < 2
    opened = pixels(networks.preprocess(Image.open(io.BytesIO(octets))))
    assert np.abs(answer["rgb"].reshape(224, 224, 3) - opened).max() <= 2


def test_transparent_pictures_lie_on_white(explained: Callable[..., Any]) -> None:
    """The browser multiplies colour and opacity beforehand, and so may round by one step more."""
    octets = encoded(transparent())
    wanted = pixels(networks.preprocess(Image.open(io.BytesIO(octets))))
    assert wanted[:, 0].min() > 180 or wanted[:, -1].min() > 180
    assert np.abs(explained(octets)["rgb"].reshape(224, 224, 3) - wanted).max() <= 1


def test_colours_are_taken_as_they_are_stored(explained: Callable[..., Any]) -> None:
    """A PNG's gamma, which Pillow does not apply, is not applied here either."""
    from PIL.PngImagePlugin import PngInfo

    information = PngInfo()
    information.add(b"gAMA", (100_000).to_bytes(4, "big"))
    octets = encoded(photos.load("cat"), pnginfo=information)
    assert b"gAMA" in octets
    wanted = pixels(networks.preprocess(photos.load("cat")))
    np.testing.assert_array_equal(explained(octets)["rgb"].reshape(224, 224, 3), wanted)


def test_a_huge_photograph(explained: Callable[..., Any]) -> None:
    """12 000 × 9000 pixels: explained like a small one, without an excuse."""
    small = photos.load("coffee").resize((480, 360))
    answer = explained(encoded(small.resize((12_000, 9000)), "JPEG", quality=60))
    assert answer["type"] == "explained"
    assert (answer["width"], answer["height"]) == (12_000, 9000)
    assert networks.class_names()[int(answer["logits"].argmax())] == "espresso"


# ---------------------------------------------------------------- files that cannot be explained

JPEG = encoded(photos.load("cat"), "JPEG")
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
    "cut off": (JPEG[:300], "it is damaged", "save it anew"),
    "only a beginning": (b"\x89PNG\r\n\x1a\n", "it is damaged", "save it anew"),
    "claims gigabytes": (CLAIM, "60\u202f000 × 60\u202f000 pixels", "Save a smaller copy"),
}


def awake(page: Page) -> Page:
    """The page once its app is alive."""
    expect(page.locator('[data-camlib-app="your_photo"][data-awake]')).to_be_visible()
    return page


def give(page: Page, octets: bytes, name: str = "a.jpg", mime: str = "image/jpeg") -> None:
    """Choose a file."""
    page.locator(".yp-file").set_input_files({"name": name, "mimeType": mime, "buffer": octets})


def alert(page: Page) -> Locator:
    return page.locator(".yp-problem")


def explorer(page: Page) -> Locator:
    return page.locator(".yp-result .cx-app")


def name_shown(page: Page) -> Locator:
    return page.locator(".yp-seen strong")


def test_bad_files_are_refused_with_a_cure(visit: Callable[..., Any]) -> None:
    """One after the other on one page: each message names file and cure, and a good file follows."""
    visited = visit(PAGE)
    page = awake(visited.page)
    for octets, wrong, cure in BAD.values():
        give(page, octets)
        expect(alert(page)).to_contain_text(wrong, timeout=WAIT)
        expect(alert(page)).to_contain_text(cure)
        expect(page.locator(".yp-busy")).to_be_hidden()
        assert explorer(page).count() == 0
    give(page, JPEG, "cat.jpg")
    expect(explorer(page)).to_be_visible(timeout=WAIT)
    expect(alert(page)).to_be_hidden()
    assert visited.problems == []


def test_a_refusal_leaves_the_last_result(visit: Callable[..., Any]) -> None:
    page = awake(visit(PAGE).page)
    give(page, JPEG, "cat.jpg")
    expect(name_shown(page)).to_have_text("cat.jpg", timeout=WAIT)
    give(page, b"", "none.jpg")
    expect(alert(page)).to_contain_text("“none.jpg” is empty")
    expect(name_shown(page)).to_have_text("cat.jpg")
    expect(explorer(page)).to_be_visible()


# ---------------------------------------------------------------- a reader's ways


def test_one_of_the_books_by_one_click(visit: Callable[..., Any]) -> None:
    """Nothing of the network is loaded before; then the map, the frame, and any of 1000 classes."""
    visited = visit(PAGE)
    page = awake(visited.page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    assert page.evaluate(
        "performance.getEntriesByType('resource').every(e => !/ort|onnx/.test(e.name))"
    )
    button = page.get_by_role("button", name="A rocket lifting off at night Rocket")
    button.click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(name_shown(page)).to_have_text("Rocket", timeout=WAIT)
    expect(page.locator(".yp-progress")).to_be_hidden()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".cx-title strong")).to_have_text("missile")
    expect(page.locator(".yp-seen")).to_contain_text("640 × 427 pixels")
    expect(page.locator(".yp-live")).to_contain_text("first word: missile")
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
    expect(page.locator(".cx-title strong")).to_have_text("space shuttle")
    assert visited.problems == []
    assert visited.foreign == []
    assert any(url.endswith(".onnx") for url in asked)


def test_a_setting_holds_for_the_next_photograph(visit: Callable[..., Any]) -> None:
    page = awake(visit(PAGE).page)
    give(page, JPEG, "one.jpg")
    expect(name_shown(page)).to_have_text("one.jpg", timeout=WAIT)
    page.get_by_role("radio", name="Cells").check(force=True)
    give(page, encoded(photos.load("coffee")), "two.png")
    expect(name_shown(page)).to_have_text("two.png", timeout=WAIT)
    expect(page.get_by_role("radio", name="Cells")).to_be_checked()
    assert explorer(page).count() == 1


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


@pytest.mark.parametrize("way", [DROP, PASTE], ids=["drop", "paste"])
def test_drop_and_paste(way: str, visit: Callable[..., Any]) -> None:
    """Anywhere on the page; the zone shows that something is over it only while there is."""
    page = awake(visit(PAGE).page)
    page.evaluate(way, [base64.b64encode(JPEG).decode(), "given.jpg"])
    expect(name_shown(page)).to_have_text("given.jpg", timeout=WAIT)
    expect(page.locator(".yp-over")).to_have_count(0)


def test_an_address_is_not_followed(visit: Callable[..., Any]) -> None:
    """A picture dragged over from another site brings its address; no other site is asked."""
    visited = visit(PAGE)
    page = awake(visited.page)
    page.evaluate(DROP, [None, "https://example.org/cat.jpg"])
    expect(alert(page)).to_contain_text("holds no file")
    assert visited.foreign == []


def test_keyboard_alone(visit: Callable[..., Any]) -> None:
    """Tab reaches the file dialogue and each photograph; a ring shows where one is."""
    page = awake(visit(PAGE).page)
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


def test_the_last_choice_wins(visit: Callable[..., Any]) -> None:
    """Whoever clicks on, before the first answer is there, gets the answer to the last click."""
    page = awake(visit(PAGE).page)
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        give(page, JPEG, name)
    give(page, encoded(photos.load("coffee")), "last.png")
    expect(name_shown(page)).to_have_text("last.png", timeout=WAIT)
    page.wait_for_timeout(500)
    expect(name_shown(page)).to_have_text("last.png")
    expect(page.locator(".cx-title strong")).to_have_text("espresso")
    assert explorer(page).count() == 1


def test_a_slow_photograph_does_not_come_late(visit: Callable[..., Any]) -> None:
    """One of the book's that is still on its way is forgotten when another file is chosen."""
    page = awake(visit(PAGE).page)
    held: list[Route] = []
    page.route("**/network/rocket.jpg", lambda route: held.append(route))
    page.get_by_role("button", name="Rocket").click()
    give(page, JPEG, "mine.jpg")
    expect(name_shown(page)).to_have_text("mine.jpg", timeout=WAIT)
    with page.expect_response("**/network/rocket.jpg"):
        held[0].continue_()
    page.wait_for_timeout(1000)
    expect(name_shown(page)).to_have_text("mine.jpg")
    expect(page.get_by_role("button", name="Rocket")).to_have_attribute("aria-pressed", "false")


def test_moving_text_is_left_alone(visit: Callable[..., Any]) -> None:
    """Text that a reader drags into the search field gets there."""
    page = awake(visit(PAGE).page)
    taken = page.evaluate("""() => {
      const data = new DataTransfer();
      data.setData('text/plain', 'cat');
      const event = new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
      document.querySelector('article p').dispatchEvent(event);
      return event.defaultPrevented;
    }""")
    assert not taken
    expect(alert(page)).to_be_hidden()


# ---------------------------------------------------------------- it stays in the browser


def test_nothing_leaves_the_machine(visit: Callable[..., Any]) -> None:
    """Requests carry no data; once the network is there, all works without any connection."""
    visited = visit(PAGE)
    page = awake(visited.page)
    requests: list[Any] = []
    page.context.on("request", lambda request: requests.append(request))
    give(page, JPEG, "first.jpg")
    expect(name_shown(page)).to_have_text("first.jpg", timeout=WAIT)
    asked = [request for request in requests if not request.url.startswith("data:")]
    assert asked
    for request in asked:
        assert request.method == "GET", request.url
        assert request.post_data_buffer is None, request.url
        assert re.fullmatch(re.escape(visited.site) + r"_static/[\w/.-]+", request.url), request.url
    requests.clear()
    page.context.set_offline(True)
    give(page, encoded(photos.load("coffee")), "second.png")
    expect(name_shown(page)).to_have_text("second.png", timeout=WAIT)
    expect(page.locator(".cx-title strong")).to_have_text("espresso")
    page.locator(".cx-tile").nth(2).click()
    expect(page.locator(".cx-tile").nth(2)).to_have_attribute("aria-pressed", "true")
    assert [request.url for request in requests if not request.url.startswith("data:")] == []
    assert visited.problems == []
    # Only a photograph of the book has to be fetched, and says so.
    page.get_by_role("button", name="Astronaut").click()
    expect(alert(page)).to_contain_text("“Astronaut” did not come from this site")


# ---------------------------------------------------------------- when something is missing


@pytest.mark.parametrize(
    ("wanting", "how"),
    [
        ("efficientnet_lite0.onnx", "404"),
        ("efficientnet_lite0.onnx", "cut short"),
        ("ort-wasm-simd-threaded.wasm", "aborted"),
        ("ort.wasm.min.mjs", "404"),
        ("worker.mjs", "aborted"),
    ],
)
def test_a_network_that_does_not_load(wanting: str, how: str, visit: Callable[..., Any]) -> None:
    """A message, no endless bar, and a button that tries again and succeeds."""
    page = awake(visit(PAGE).page)

    def answer(route: Route) -> None:
        if how == "404":
            route.fulfill(status=404, body="")
        elif how == "aborted":
            route.abort()
        else:
            route.fulfill(status=200, body="x", content_type="text/javascript")

    page.context.route(f"**/{wanting}", answer)
    give(page, JPEG, "cat.jpg")
    expect(alert(page)).to_contain_text("The network did not load", timeout=WAIT)
    expect(alert(page)).to_contain_text("check the connection, then try again")
    expect(page.locator(".yp-progress")).to_be_hidden()
    expect(page.locator(".yp-busy")).to_be_hidden()
    page.context.unroute(f"**/{wanting}")
    alert(page).get_by_role("button", name="Try again").click()
    expect(name_shown(page)).to_have_text("cat.jpg", timeout=WAIT)
    expect(alert(page)).to_be_hidden()


def test_an_old_browser_is_told(visit: Callable[..., Any]) -> None:
    """Without vector instructions: which ability is missing, and where one can go instead."""
    page = visit(PAGE).page
    page.context.add_init_script(
        "WebAssembly.validate = () => false; delete globalThis.OffscreenCanvas;"
    )
    page.reload(wait_until="networkidle")
    expect(alert(page)).to_contain_text("lacks WebAssembly's vector instructions, drawing outside")
    expect(alert(page)).to_contain_text("Firefox 114, Safari 16.4")
    expect(page.locator('[data-camlib-app="your_photo"]')).to_contain_text("three pictures below")


def test_without_scripts(visit: Callable[..., Any]) -> None:
    """The place says what scripts would add; a picture shows what would come out."""
    page = visit(PAGE, scripts=False).page
    app = page.locator('[data-camlib-app="your_photo"]')
    expect(app).to_contain_text("It needs scripts")
    expect(page.locator("article img").first).to_be_visible()
    assert len(page.locator("article img").first.get_attribute("alt") or "") > 40


# ---------------------------------------------------------------- for everyone


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_accessible_with_a_result(
    width: int, scheme: str, visit: Callable[..., Any], axe: Path
) -> None:
    """With a refusal and a result on show; and the page does not scroll sideways."""
    page = awake(visit(PAGE, width=width, scheme=scheme).page)
    give(page, JPEG, "a-photograph-with-quite-a-long-name-from-my-telephone-20260101.jpg")
    expect(explorer(page)).to_be_visible(timeout=WAIT)
    give(page, b"", "a-file-with-quite-a-long-name-that-is-empty-20260101.jpg")
    expect(alert(page)).to_be_visible()
    page.evaluate(axe.read_text(encoding="utf-8") + ";undefined")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    result = page.evaluate("(values) => axe.run({ runOnly: { type: 'tag', values } })", tags)
    assert result["passes"]
    broken = [
        f"{rule['id']}: {node['target']} {node['html'][:120]}"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]
    assert broken == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
