"""Where a long run keeps its records: a folder that a second run of the same goes on from."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from camlib.evaluate.records import Records, join
from camlib.networks.checkpoint import replace_file


class Store:
    """Records in chunks, one file each, written whole or not at all.

    Parameters
    ----------
    folder
        Is made if it does not exist.
    run
        What decides the records: network, method, data. Written on the first run, compared on
        every later one.

    Raises
    ------
    ValueError
        If the folder holds the records of something else.
    """

    def __init__(self, folder: Path, run: dict[str, Any]) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "run.json"
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            differs = sorted(key for key in run | kept if kept.get(key) != run.get(key))
            if differs:
                raise ValueError(
                    f"--output: expected the records of this run in {folder}, got those of one with "
                    f"another {', '.join(differs)}. Name another folder, or repeat that run."
                )
        else:
            replace_file(path, json.dumps(run, indent=1, sort_keys=True).encode())

    def has(self, chunk: int) -> bool:
        """Say whether a chunk is there, whole."""
        return self._path(chunk).exists() and zipfile.is_zipfile(self._path(chunk))

    def put(self, chunk: int, records: Records) -> None:
        """Keep a chunk's records."""
        buffer = io.BytesIO()
        columns = {
            field.name: getattr(records, field.name) for field in dataclasses.fields(records)
        }
        np.savez_compressed(buffer, **columns)
        replace_file(self._path(chunk), buffer.getvalue())

    def all(self, chunks: int) -> Records:
        """Return the records of chunks 0 to ``chunks`` - 1, joined in order."""
        return join([self._get(chunk) for chunk in range(chunks)])

    def _get(self, chunk: int) -> Records:
        with np.load(self._path(chunk)) as columns:
            return Records(**columns)

    def _path(self, chunk: int) -> Path:
        return self.folder / f"chunk-{chunk:06}.npz"
