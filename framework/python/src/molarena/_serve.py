"""The program's side of ``molarena.process/1``: frames on standard input and output."""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, BinaryIO

from ._components import Component
from ._data import Call, Corpus, Exchange, Labels, Molecules
from ._errors import ConfigError, DataError, status_of

PROTOCOL = "molarena.process/1"


def serve(*components: type[Component]) -> None:
    """Answers the arena until it closes standard input. What the plugin prints goes to standard error."""
    frames = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    _Server(components, sys.stdin.buffer, frames).run()


class _Server:
    def __init__(self, components: tuple[type[Component], ...], requests: BinaryIO, answers: BinaryIO) -> None:
        self.components = {(kind._describe()["kind"], kind._describe()["id"]): kind for kind in components}
        if len(self.components) < len(components):
            raise ValueError("two components of one kind have the same id")
        self.requests = requests
        self.answers = answers
        self.writing = threading.Lock()
        self.waiting: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.cancelled: set[int] = set()
        self.instances: dict[int, Component] = {}
        self.made = 0
        self.exchange = Exchange(Path())

    def run(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()
        while (request := self.waiting.get()) is not None:
            self._answer(request)

    def _read(self) -> None:
        for line in self.requests:
            frame = json.loads(line)
            if "cancel" in frame:
                self.cancelled.add(frame["cancel"])
            else:
                self.waiting.put(frame)
        self.waiting.put(None)

    def _send(self, frame: dict[str, Any]) -> None:
        line = json.dumps(frame, allow_nan=False).encode() + b"\n"
        with self.writing:
            self.answers.write(line)
            self.answers.flush()

    def _answer(self, request: dict[str, Any]) -> None:
        number = request["id"]
        try:
            answer = self._perform(request)
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            sys.stderr.flush()
            self._send({"id": number, "error": {"status": status_of(error), "message": _message(error)}})
        else:
            self._send({"id": number, "ok": answer})

    def _perform(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["call"]
        if name == "hello":
            self.exchange = Exchange(Path(request["folder"]))
            described = [kind._describe() for kind in self.components.values()]
            return {"protocol": PROTOCOL, "components": described}
        if name == "create":
            return self._create(request)
        if name == "drop":
            self.instances.pop(request["instance"], None)
            return {}
        call = {
            "finetune": self._finetune,
            "fit": self._fit,
            "encode": self._encode,
            "predict": self._predict,
            "decode": self._decode,
            "score": self._score,
            "save": self._save,
            "load": self._load,
        }.get(name)
        if call is None:
            raise NotImplementedError(f"no call `{name}` in {PROTOCOL}")
        return call(self.instances[request["instance"]], request)

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        kind, name = request["kind"], request["component"]
        component = self.components.get((kind, name))
        if component is None:
            known = ", ".join(id for of, id in self.components if of == kind)
            raise ConfigError(f"no {kind} `{name}`; there are: {known or 'none'}")
        return self._keep(component._create(request["config"]))

    def _finetune(self, instance: Any, request: dict[str, Any]) -> dict[str, Any]:
        return self._keep(instance._finetune(request["config"]))

    def _keep(self, instance: Component) -> dict[str, Any]:
        self.made += 1
        self.instances[self.made] = instance
        return {"instance": self.made}

    def _call(self, request: dict[str, Any]) -> Call:
        context, number = request["context"], request["id"]
        folder = context.get("folder")
        return Call(
            seed=int(context["seed"]),
            threads=int(context["threads"]),
            device=context["device"],
            folder=Path(folder) if folder else None,
            _report=lambda fraction, text: self._send({"id": number, "progress": fraction, "message": text}),
            _cancelled=lambda: number in self.cancelled,
        )

    def _molecules(self, forms: dict[str, Any]) -> Molecules:
        return Molecules(forms, self.exchange)

    def _labels(self, frame: dict[str, Any]) -> Labels:
        return Labels(values=self.exchange.array(frame["values"]), kind=frame["kind"])

    def _fit(self, instance: Any, request: dict[str, Any]) -> dict[str, Any]:
        call = self._call(request)
        if "corpus" in request:
            instance.fit(Corpus._read(request["corpus"], self.exchange), call)
        else:
            train, valid = (self._molecules(request[part]) for part in ("train", "valid"))
            labels = [self._labels(request[part]) for part in ("train_labels", "valid_labels")]
            instance.fit(train, labels[0], valid, labels[1], call)
        return {}

    def _encode(self, instance: Any, request: dict[str, Any]) -> dict[str, Any]:
        vectors = instance.encode(self._molecules(request["inputs"]), self._call(request))
        return {"values": self.exchange.write(vectors, "encode")}

    def _predict(self, instance: Any, request: dict[str, Any]) -> dict[str, Any]:
        predictions = instance.predict(self._molecules(request["inputs"]), self._call(request))
        return {"values": self.exchange.write(predictions, "predict")}

    def _decode(self, instance: Any, request: dict[str, Any]) -> dict[str, Any]:
        z = self.exchange.array(request["z"])
        return {"values": self.exchange.write(instance.decode(z, request["space"], self._call(request)), "decode")}

    def _score(self, instance: Any, request: dict[str, Any]) -> dict[str, Any]:
        z, candidates = (self.exchange.array(request[name]) for name in ("z", "candidates"))
        scores = instance.score(z, candidates, request["space"], self._call(request))
        return {"values": self.exchange.write(scores, "score")}

    def _save(self, instance: Any, request: dict[str, Any]) -> dict[str, Any]:
        state = instance.save()
        if not isinstance(state, (bytes, bytearray)):
            raise DataError(f"save gave {type(state).__name__}, not bytes")
        return {"state": self.exchange.write_bytes(bytes(state))}

    def _load(self, instance: Any, request: dict[str, Any]) -> dict[str, Any]:
        instance.load((self.exchange.folder / request["state"]).read_bytes())
        return {}


def _message(error: BaseException) -> str:
    """One line: what was raised, and where in the plugin."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(str(Path(__file__).parent))]
    place = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}{place}" if text else f"{type(error).__name__}{place}"
