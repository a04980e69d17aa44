"""A folder that keeps what a long run has measured, so that an interrupted run can be resumed."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from camlib.evaluate.table import Picture
from camlib.networks.checkpoint import replace_file


class Store:
    """Measured pictures in chunks, one file each, written whole or not at all.

    Parameters
    ----------
    folder
        Is made if it does not exist.
    run
        What decides the measurements: network, method, data. The first process of the first run
        writes it, all others compare.

    Raises
    ------
    ValueError
        If the folder holds the measurements of something else.
    """

    def __init__(self, folder: Path, run: dict[str, Any]) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "run.json"
        text = json.dumps(run, indent=1, sort_keys=True, default=str)
        if path.exists():
            run = json.loads(text)
            try:
                kept = dict(json.loads(path.read_text(encoding="utf-8")))
            except (ValueError, TypeError) as error:
                raise ValueError(
                    f"--output: expected the records of a run in {folder}, got a damaged {path.name} "
                    f"({error}). Name another folder."
                ) from error
            differs = sorted(key for key in run | kept if kept.get(key) != run.get(key))
            if differs:
                raise ValueError(
                    f"--output: expected the records of this run in {folder}, got those of one with "
                    f"another {', '.join(differs)}. Name another folder, or repeat that run."
                )
        else:
            replace_file(path, text.encode())

    def has(self, chunk: int) -> bool:
        """Say whether a chunk is there, whole."""
        return self._path(chunk).exists() and zipfile.is_zipfile(self._path(chunk))

    def put(self, chunk: int, pictures: Sequence[Picture]) -> None:
        """Keep a chunk."""
        buffer = io.BytesIO()
        torch.save([vars(picture) for picture in pictures], buffer)
        replace_file(self._path(chunk), buffer.getvalue())

    def get(self, chunk: int) -> list[Picture]:
        """Return a chunk."""
        try:
            kept = torch.load(self._path(chunk), weights_only=True)
            return [Picture(**values) for values in kept]
        except Exception as error:  # torch raises many kinds for what is no file of its own
            raise ValueError(
                f"--output: expected measured pictures in {self._path(chunk)}, got a damaged file. "
                "Remove it, and the same command measures them again."
            ) from error

    def _path(self, chunk: int) -> Path:
        return self.folder / f"chunk-{chunk:06}.pt"
