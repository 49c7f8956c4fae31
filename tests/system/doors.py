"""An outside plugin with one of each kind, as a stranger would write it: only public names are used."""

import copy

import typer

from hds_cli import Budget, BundledCollection, Counter, Document, Event, Generation, ModelInfo, Page, Passage, Reading

TEXTS = (
    "<think>\nOf a moon.\n</think>\n\n<|begin_search_queries|>\nmoon Phobos\n<|end_search_queries|>",
    "done\n</think>\n\nIt is Mars [1].\n\n\\boxed{Mars}",
)


class Talk:
    """A session of a model that always says the same."""

    n_ctx = 8192

    def __init__(self):
        self.counter, self.used, self._calls = Counter(), 0, 0

    def append(self, segments):
        size = sum(len(segment.text.split()) for segment in segments)
        self.used += size
        self.counter.prompt += size
        return size

    def mark(self):
        return self.used

    def rewrite(self, mark, segments):
        self.used = mark
        return self.append(segments)

    def generate(self, *, max_tokens, stop=(), sampling=None, grammar=None, on_text=None):
        text = TEXTS[min(self._calls, 1)]
        self._calls += 1
        end, mark = min(((text.find(s), s) for s in stop if s in text), default=(len(text), None))
        if on_text:
            on_text(text[:end])
        return Generation(text[:end], "stop" if mark else "eos", mark, len(text[:end].split()))

    def fork(self):
        return copy.deepcopy(self)

    def save(self, path):
        path.write_text(str(self._calls))

    def load(self, path):
        return False

    def abort(self):
        pass

    def resume(self):
        pass

    def close(self):
        pass


class Parrot:
    """An engine whose model knows one answer."""

    def __init__(self, spec, settings):
        self.info = ModelInfo(spec.name, engine="parrot", n_ctx=8192, dialect="hds")

    def session(self):
        return Talk()

    def count(self, segments):
        return sum(len(segment.text.split()) for segment in segments)

    def chat_template(self):
        return None

    def close(self):
        pass


def shout(body: bytes, url: str) -> Page:
    """Bytes of a format that nobody else reads."""
    return Page(url, title="Shouted", text=body.removeprefix(b"PK\x03\x04").decode().upper())


def last(question: str, readings: list[Reading], budget: Budget) -> list[list[Passage]]:
    """The last sentence of every page, and one that stands nowhere."""
    return [
        [Passage(page.url, page.title, "The moon is made of cheese.") for page in reading.pages]
        + [Passage(page.url, page.title, page.text.split(". ")[-1]) for page in reading.pages]
        for reading in readings
    ]


class Bells:
    """Rings once for every event, and says the answer."""

    def __init__(self, write):
        self.write, self.rung = write, 0

    def handle(self, event: Event) -> None:
        self.rung += 1
        if type(event).__name__ == "RunFinished":
            self.write(f"\x1b[31m{event.answer}\x07")

    def close(self) -> None:
        self.write(f" after {self.rung} bells\n")


def moons() -> BundledCollection:
    text = "Phobos is a moon. It is small. It goes round Mars"
    return BundledCollection("1", "two moons", lambda: [Document("1", "Phobos", text, "moon:phobos")])


def hello(name: str = typer.Argument("you"), loud: bool = False) -> None:
    """Greet somebody."""
    print(f"Hello, {name.upper() if loud else name}.")


POINTS = (
    ("hds.engines.v2", "parrot", "Parrot"),
    ("hds.extractors.v1", "shout", "shout"),
    ("hds.selectors.v2", "last", "last"),
    ("hds.renderers.v1", "bells", "Bells"),
    ("hds.collections.v1", "moons", "moons"),
    ("hds.commands.v1", "hello", "hello"),
)
