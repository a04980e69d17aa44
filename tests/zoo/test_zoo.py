"""Every classifier of torchvision: the page says what camlib does."""

import re
from pathlib import Path
from unittest import mock

import pytest
import torch
from torch import nn

import camlib
from tooling import zoo
from tooling.repository import ROOT

PAGE = zoo.PAGE.read_text(encoding="utf-8")
WRITTEN = zoo.rows(PAGE)
# Larger networks are left to `make zoo`: what they are made of is in the smallest of each family too.
LARGEST = 40.0
FAMILY = re.compile(r"[a-z]+(_v\d)?(_[xy])?(?=[\d_]|$)")


def parameters(row: str) -> float:
    """Read the second column: millions of parameters."""
    return float(row.split("|")[2])


def smallest() -> list[str]:
    """Return the smallest network of each family."""
    found: dict[str, str] = {}
    for name in sorted(WRITTEN, key=lambda name: parameters(WRITTEN[name])):
        found.setdefault(FAMILY.match(name).group(), name)
    return [name for name in found.values() if parameters(WRITTEN[name]) <= LARGEST]


SMALL = smallest()


@pytest.mark.parametrize("name", SMALL)
def test_what_the_page_says(name: str) -> None:
    """An exact map with so many channels and cells, or a refusal by that layer for that reason."""
    assert zoo.row(zoo.explain(name)) == WRITTEN[name]


def test_the_page_lists_all_networks_with_their_sizes() -> None:
    assert set(WRITTEN) == set(zoo.names())
    counted = {name: f"{zoo.parameters_of(name) / 1e6:.1f}" for name in WRITTEN}
    assert counted == {name: f"{parameters(WRITTEN[name]):.1f}" for name in WRITTEN}


def test_the_page_counts_what_it_lists() -> None:
    exact, refused = PAGE.split("## Refused")
    counts = [len(zoo.rows(part)) for part in (exact, refused)]
    assert counts == [63, 17]
    sentence = "Of 80 networks **63 have exact maps** and **17 are refused**"
    assert sentence in PAGE
    assert len(SMALL) >= 18


def test_the_page_names_the_versions_that_are_pinned() -> None:
    """After a change of constraints.txt, make the page again."""
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    for name in ("torch", "torchvision"):
        version = re.search(rf"^{name}==([\d.]+)", pinned, re.M)
        assert version
        assert f"{name} {version.group(1)}" in PAGE


class Small(nn.Module):
    """A network of torchvision's kind, but quick."""

    def __init__(self, hidden: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, stride=32)
        self.fc = nn.Linear(4, 5)
        self.activation = nn.Tanh() if hidden else nn.Identity()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.activation(self.fc(self.conv(images).mean((2, 3))))


class TestMaking:
    """The program behind the page."""

    @pytest.fixture
    def page(self, tmp_path: Path) -> Path:
        path = tmp_path / "zoo.md"
        path.write_text(f"# Title\n\n{zoo.BEGIN}\n\nold\n\n{zoo.END}\nAfter.\n", encoding="utf-8")
        return path

    def test_weights_differ_and_are_the_same_every_time(self) -> None:
        first, second = (zoo.build("squeezenet1_1") for _ in range(2))
        for one, other in zip(first.parameters(), second.parameters(), strict=True):
            assert torch.equal(one, other)
        rows = first.classifier[1].weight.flatten(1)
        assert len(rows.unique(dim=0)) == len(rows)
        assert not first.training

    def test_counting_is_what_building_gives(self) -> None:
        built = sum(parameter.numel() for parameter in zoo.build("squeezenet1_1").parameters())
        assert zoo.parameters_of("squeezenet1_1") == built

    def test_writes_between_the_marks_only(
        self, page: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with mock.patch.object(zoo, "build", lambda name: Small(hidden=name == "b").eval()):
            assert zoo.main(page, ["a", "b"]) == 0
        text = page.read_text(encoding="utf-8")
        assert text.startswith("# Title\n")
        assert text.endswith("\nAfter.\n")
        assert "old" not in text
        assert zoo.rows(text) == {
            "a": "| `a` | 0.0 | 4\u00a0×\u00a07\u00a0×\u00a07 | <\u00a01e-5 | yes |",
            "b": "| `b` | 0.0 | `activation` (Tanh) stands behind the pooling and is not linear |",
        }
        assert "zoo: 1 exact, 1 refused, none wrong: zoo.md is written" in capsys.readouterr().out

    def test_a_crash_fails_and_leaves_the_page(
        self, page: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = page.read_text(encoding="utf-8")
        broken = mock.patch.object(zoo, "build", mock.Mock(side_effect=KeyError("weights")))
        with broken:
            assert zoo.main(page, ["a"]) == 1
        assert page.read_text(encoding="utf-8") == before
        assert "zoo: a: KeyError: 'weights'" in capsys.readouterr().err

    def test_a_wrong_map_fails(self, page: Path) -> None:
        true = camlib.class_activation_maps

        def wrong(*arguments: object) -> camlib.ClassActivationMaps:
            cam = true(*arguments)  # type: ignore[arg-type]
            cam.maps.mul_(1.01)
            return cam

        with (
            mock.patch.object(zoo, "build", return_value=Small().eval()),
            mock.patch.object(camlib, "class_activation_maps", wrong),
            pytest.raises(
                ValueError, match="a: expected maps that average to the logits, got a gap"
            ),
        ):
            zoo.explain("a")

    @pytest.mark.parametrize("layer", ["conv", "fc"])
    def test_weights_that_prove_nothing_fail(self, layer: str) -> None:
        """All places alike, or all classes."""
        network = Small().eval()
        nn.init.constant_(getattr(network, layer).weight, 0.0 if layer == "conv" else 1.0)
        nn.init.zeros_(network.fc.bias)
        with (
            mock.patch.object(zoo, "build", return_value=network),
            pytest.raises(
                ValueError,
                match=r"a: expected classes and places that differ|depend on the pictures",
            ),
        ):
            zoo.explain("a")

    def test_a_refusal_that_names_no_layer_fails(self) -> None:
        with (
            mock.patch.object(zoo, "build", return_value=Small().eval()),
            mock.patch.object(
                camlib, "find_head", mock.Mock(side_effect=camlib.NotCAMReadyError("no layer"))
            ),
            pytest.raises(ValueError, match="expected a refusal that names a layer, got: no layer"),
        ):
            zoo.explain("a")

    @pytest.mark.parametrize("page", ["no marks", f"\n{zoo.BEGIN}\n", f"\n{zoo.END}\n"])
    def test_a_page_without_marks_is_refused(self, page: str) -> None:
        with pytest.raises(ValueError, match=r"page: expected the lines .* Put them back\."):
            zoo.with_tables(page, "text")
