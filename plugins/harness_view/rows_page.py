"""The table of rows as HTML: filters, and each row's texts with the words marked that differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.kit import terms
from harness.kit.html.answers import anchor
from harness.kit.html.markup import Child, Html, code_class, element, joined, long, name
from harness.kit.numbers import number, signed
from harness.kit.shown_calls import readable, readable_pair
from harness.kit.text import plain
from harness.kit.worddiff import Runs, closest, sides
from harness_view.links import Asked, Links
from harness_view.rows import PER_PAGE, Judged, RowsPage, ShownRow

PROMPT, TEXT = 300, 600
"""Characters of a prompt, and of another text: all of it stands on the row's own page."""
SHOWN = {"fails": "fails", "fixed": "fixed", "regressed": "regressed"}
MARKS = {"fails": ("✗", "bad"), "fixed": ("▲", "good"), "regressed": ("▼", "bad"), "": ("", "base")}
SORTS = {
    "change": "largest losses first", "-change": "largest gains first",
    "score": "worst score first", "-score": "best score first",
}  # fmt: skip
LEGEND = (
    "Marked in an answer: words that the reference lacks; marked in the reference: words that the "
    "last answer lacks."
)


def draw_rows(page: RowsPage, links: Links, *, served: bool, test: Html | None = None) -> Html:
    """The table with its filters, and the way to other pages of it.

    Args:
        served: the filters ask a server; otherwise a script filters the rows that are here.
        test: what is said of the test set.
    """
    asked = page.asked
    return joined(
        element("h2", "Rows", " ", element("span", asked.split, class_="remark"), id="rows-h"),
        test,
        _filters(page, links, served),
        element("p", _count(page), role="status", id="count", class_="note"),
        element("p", LEGEND, class_="note"),
        _table(page, links) if page.rows else None,
        _pages(page, links) if served else None,
    )


def _count(page: RowsPage) -> str:
    if not page.rows:
        return f"No row of {page.total:,} matches."
    some = f"{page.matching:,} of " if page.matching != page.total else ""
    first = PER_PAGE * (page.asked.page - 1) + 1
    part = f": {first:,} to {first + len(page.rows) - 1:,}"
    return f"{some}{page.total:,} rows{part if page.matching > len(page.rows) else ''}"


def _filters(page: RowsPage, links: Links, served: bool) -> Html:
    asked = page.asked
    counts = {name: page.counts[name] for name in SHOWN}
    judged = page.counts["judged"]
    rounds = {str(n): _round(n, page.head.kept) for n in page.head.rounds}
    inner: list[Child] = [
        element("label", "Words ", element("input", type="search", name="words", id="words",
                value=asked.words or None, autocomplete="off", maxlength=400)),
        _choice("show", "Outcome ", {n: f"{n} ({counts[n]:,})" for n in SHOWN}, asked.show)
        if judged else None,
        _choice("category", "Error category ", _counted(page.categories, "category"),
                asked.category),
        _choice("cause", "Cause ", _counted(page.causes, "cause"), asked.cause),
        _choice("slice", "Slice ", _counted(page.slices, ""), asked.slice),
    ]  # fmt: skip
    if served:
        inner += [
            _choice("first", "From ", rounds, str(page.first), every=False),
            _choice("second", "To ", rounds, str(page.second), every=False),
            _choice("sort", "Sorted by ", SORTS, asked.sort, every=False),
            element("input", type="hidden", name="split", value=asked.split)
            if asked.split != "dev" else None,
            element("button", "Show", type="submit"),
            element("a", "Clear", href=links.rows(Asked(split=asked.split))),
        ]  # fmt: skip
    action = links.part("rows") if served else None
    # Without autocomplete: a browser that goes back shows what was chosen there, not what is typed.
    form = element(
        "form", inner, id="filters", method="get", action=action, hidden=not served,
        autocomplete="off",
    )  # fmt: skip
    unjudged = "" if judged else "This score has no pass mark, so no row passes or fails."
    note = element("p", unjudged, class_="note") if unjudged else None
    return joined(form, note, None if served else _tables(page, links))


def _tables(page: RowsPage, links: Links) -> Html | None:
    """The way to the tables of other rounds, each against the base model."""
    best = page.head.kept or page.head.rounds[-1]
    ways = [
        element(
            "a",
            _round(number, page.head.kept),
            href=links.rows(Asked(second=None if number == best else number)),
            aria_current="page" if number == page.second else None,
        )
        for number in page.head.rounds[1:]
    ]
    return element("nav", ways, class_="parts", aria_label="Rounds") if len(ways) > 1 else None


def _round(number_: int, kept: int) -> str:
    if number_ == 0:
        return "base model"
    return f"round {number_}" + (" (best)" if number_ == kept else "")


def _counted(names: Mapping[str, int], kind: str) -> dict[str, str]:
    def titled(text: str) -> str:
        return terms.shown(kind, text) if kind else text  # type: ignore[arg-type]

    return {text: f"{plain(titled(text), 70)} ({rows:,})" for text, rows in names.items()}


def _choice(
    key: str, title: str, values: Mapping[str, str], chosen: str, *, every: bool = True
) -> Html | None:  # fmt: skip
    if not values:
        return None
    options = [element("option", "all", value="")] if every else []
    options += [
        element("option", text, value=value, selected=value == chosen)
        for value, text in values.items()
    ]
    return element("label", title, element("select", options, name=key, id=f"choice-{key}"))


def _table(page: RowsPage, links: Links) -> Html:
    titles = ["Row", "Prompt", "Reference", *(_round(n, page.head.kept) for n in page.columns)]
    heads = [element("th", title, scope="col") for title in titles]
    kinds = {"slices": page.slices, "categories": page.categories, "causes": page.causes}
    places = {kind: {name: at for at, name in enumerate(names)} for kind, names in kinds.items()}
    body = [
        element("tr", _cells(row, titles, page, links), **_data(row, places)) for row in page.rows
    ]
    return element(
        "table", element("caption", "Rows with their answers"),
        element("thead", element("tr", heads)), element("tbody", body), class_="rows",
    )  # fmt: skip


def _data(row: ShownRow, places: Mapping[str, Mapping[str, int]]) -> dict[str, str]:
    """What a script filters by: each name by its place in the list that it is chosen from."""
    of_kinds = {
        f"data_{kind}": " ".join(str(places[kind][name]) for name in names if name in places[kind])
        for kind, names in row.names.items()
    }
    return {"data_show": row.became, **of_kinds} if row.names else {}


def _cells(row: ShownRow, titles: list[str], page: RowsPage, links: Links) -> Iterator[Html]:
    wanted = closest(row.references, row.answers[-1].text) if row.answers else ""
    compared = plain(readable(wanted), TEXT)
    texts = [plain(readable_pair(wanted, answer.text)[1], TEXT) for answer in row.answers]
    pairs = [sides(compared, text) if wanted else ([], [(text, False)]) for text in texts]
    code = code_class(compared, *texts)
    address = links.row(row.id, page.asked)
    shown = name(row.id, 60)
    yield element(
        "th",
        element("a", shown, href=address, class_="row", id=anchor(row.id)) if address else shown,
        element("br"),
        _outcome(row),
        scope="row",
    )
    yield _cell(titles[1], element("div", plain(row.prompt, PROMPT), dir="auto", class_="text"))
    reference: Runs = pairs[-1][0] if pairs and wanted else [(compared, False)]
    more = f" and {len(row.references) - 1} more" if len(row.references) > 1 else ""
    yield _cell(titles[2], _words(reference, "del", code, wanted), more)
    by_round = {answer.round: (answer, pair[1])
                for answer, pair in zip(row.answers, pairs, strict=True)}  # fmt: skip
    for title, at in zip(titles[3:], page.columns, strict=True):
        if at not in by_round:
            yield _cell(title, element("span", "no answer", class_="dim"))
            continue
        answer, runs = by_round[at]
        yield _cell(title, _words(runs, "ins", code, answer.text), _score(answer))


def _outcome(row: ShownRow) -> list[Child]:
    sign, tone = MARKS[row.became]
    label = element("span", f"{sign} {row.became}", class_=f"label {tone}") if row.became else None
    change = element("span", signed(row.change), class_="dim") if row.change is not None else None
    return [label, " ", change]


def _score(answer: Judged) -> str:
    judged = {True: "pass", False: "fail", None: ""}[answer.right]
    return ", ".join(filter(None, (judged, number(answer.score))))


def _cell(title: str, text: Html, remark: str = "") -> Html:
    return element(
        "td", text, element("p", remark, class_="dim score") if remark else None, data_title=title
    )


def _words(runs: Runs, mark: str, code: str, whole: str) -> Html:
    """A text with the words marked that the other one lacks; cut where it is long."""
    inner: list[Child] = [
        element(mark, long(text, TEXT)) if differs else long(text, TEXT) for text, differs in runs
    ]
    if len(whole) > TEXT:
        inner.append(element("span", " …", class_="dim"))
    shown = inner if whole.strip() else element("em", "(empty)", class_="dim")
    return element("div", shown, dir="auto", class_=f"text words{code}")


def _pages(page: RowsPage, links: Links) -> Html | None:
    if page.pages < 2:
        return None
    at = page.asked.page
    places = {"first": 1, "previous": at - 1, "next": at + 1, "last": page.pages}
    parts: list[Child] = []
    for title, to in places.items():
        there = 1 <= to <= page.pages and to != at
        shown = element("a", title, href=links.rows(page.asked.but(page=to)), id=f"to-{title}")
        parts.append(shown if there else element("span", title, class_="dim"))
    parts.insert(2, element("span", f"page {at:,} of {page.pages:,}"))
    return element("nav", parts, class_="pages", aria_label="Pages")
