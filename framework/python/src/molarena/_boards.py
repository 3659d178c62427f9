"""Stores and boards of molarena, as rows that pandas and polars take."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

_COLUMNS = ("method", "rank", "seeds", "mean", "std", "low", "high", "ties", "wall_s", "peak_rss_mb")


@dataclass(frozen=True)
class Board:
    """One board: the rows of one dataset under one split and metric."""

    content: dict[str, Any]

    @property
    def name(self) -> str:
        """Dataset, split and metric."""
        board = self.content
        return f"{board['dataset']}, {board['split']} split (seed {board['split_seed']}), {board['metric']}"

    def rows(self) -> list[dict[str, Any]]:
        """The rows, best first: scores as fractions of 1, or in the labels' unit."""
        rows = []
        for row in self.content["rows"]:
            flat = {"dataset": self.content["dataset"], "metric": self.content["metric"], **row}
            flat.update(flat.pop("statistics", None) or {})
            for nested in ("per_task", "failures", "pretraining", "corpora"):
                flat.pop(nested, None)
            rows.append(flat)
        return rows

    def tasks(self) -> list[dict[str, Any]]:
        """The score of each row on each task."""
        return [
            {"dataset": self.content["dataset"], "method": row["method"], "task": task, **score}
            for row in self.content["rows"]
            for task, score in row["per_task"].items()
        ]

    def to_pandas(self) -> Any:
        """The rows as a pandas data frame."""
        import pandas

        return pandas.DataFrame(self.rows())

    def to_polars(self) -> Any:
        """The rows as a polars data frame."""
        import polars

        return polars.DataFrame(self.rows(), infer_schema_length=None, strict=False)

    def _repr_html_(self) -> str:
        rows = self.rows()
        columns = [name for name in _COLUMNS if any(row.get(name) is not None for row in rows)]

        def cell(value: Any) -> str:
            if isinstance(value, float):
                value = f"{value:.4g}"
            if isinstance(value, list):
                value = " ".join(value)
            return f"<td>{html.escape('' if value is None else str(value))}</td>"

        head = "".join(f"<th>{name}</th>" for name in columns)
        body = "".join(f"<tr>{''.join(cell(row.get(name)) for name in columns)}</tr>" for row in rows)
        name = html.escape(self.name)
        return f"<table><caption>{name}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


@dataclass(frozen=True)
class Boards:
    """All boards of a file that ``molarena board --format json`` wrote."""

    boards: list[Board]

    def __iter__(self) -> Iterator[Board]:
        return iter(self.boards)

    def __len__(self) -> int:
        return len(self.boards)

    def __getitem__(self, dataset: str) -> Board:
        """The board of a dataset; the first, if it has several."""
        for board in self.boards:
            if board.content["dataset"] == dataset:
                return board
        known = ", ".join(board.content["dataset"] for board in self.boards)
        raise KeyError(f"no board of {dataset}; there are: {known}")

    def rows(self) -> list[dict[str, Any]]:
        """The rows of all boards."""
        return [row for board in self.boards for row in board.rows()]

    def to_pandas(self) -> Any:
        """The rows of all boards as a pandas data frame."""
        import pandas

        return pandas.DataFrame(self.rows())

    def _repr_html_(self) -> str:
        return "".join(board._repr_html_() for board in self.boards)


def read_boards(path: str | Path) -> Boards:
    """Reads what ``molarena board --format json`` wrote."""
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    schema = content.get("schema")
    if schema != "molarena.board/1":
        raise ValueError(f"{path}: schema is {schema!r}, expected 'molarena.board/1'")
    return Boards([Board(board) for board in content["boards"]])


def read_records(store: str | Path) -> list[dict[str, Any]]:
    """The records of prediction tasks of a store, one row each, without their tasks' scores."""
    folder = Path(store) / "records"
    if not folder.is_dir():
        raise FileNotFoundError(f"{store} is no store: it has no folder `records`")
    rows = []
    for path in sorted(folder.glob("**/*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        outcome, split, cost = record["outcome"], record["split"], record["cost"]
        rows.append(
            {
                "key": record["key"],
                "method": record["method"],
                "dataset": record["dataset"],
                "split": split["protocol"],
                "split_seed": split["seed"],
                "seed": record["seed"],
                "metric": record["metric"],
                "status": outcome["status"],
                "mean": outcome.get("mean"),
                "failure": outcome.get("message"),
                **{f"cost_{name}": value for name, value in cost.items()},
            }
        )
    return rows
