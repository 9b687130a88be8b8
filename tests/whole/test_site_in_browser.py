"""A history as a site: every page whole by itself, every link leads somewhere, and it can be read by all."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from msgspec import structs

from conformance.history import HistoryProblem, Store, keep, snapshot
from conformance.judge.report import MadeFrom, Report
from conformance.render.site import find_reports, write_site
from conformance.render.write import write_reports
from helpers import history_samples
from helpers import report_samples as sample
from helpers.browser import Opener, Scheme, dark_and_light, expect, harmless, in_both_schemes, violations
from helpers.profiles import one_in


def oss(report: Report) -> Report:
    """Return a report of another series of the same target."""
    return structs.replace(report, run=structs.replace(report.run, dialect="oss"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a site of four series: one with a past, one that passes, one that was idle, one that is hostile."""
    directory = tmp_path_factory.mktemp("site")
    database = history_samples.fill(directory / "history.db")
    for day, made in enumerate((sample.failing(), sample.idle(), sample.hostile(), oss(sample.passing())), 9):
        report = history_samples.night(made, day)
        report = structs.replace(report, clauses=tuple({result.id: result for result in report.clauses}.values()))
        kept = keep(report, database)
        write_reports(kept, directory / "reports" / f"night-{day}", formats=("sarif",))
    (directory / "reports" / "broken").mkdir()
    (directory / "reports" / "broken" / "compliance.json").write_text("{}")
    reports = find_reports(directory / "reports")
    assert [path.parent.name for path in reports.unread] == ["broken"]
    with Store(database) as store:
        written = write_site(store, directory / "public", reports=reports, title="Nights & days")
    assert (written.targets, written.runs, written.reports) == (4, 12, 4)
    return directory / "public"


class Links(HTMLParser):
    """Collects what a page leads to, what it loads, and its ids."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember a tag."""
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            kinds = {"href": self.hrefs, "src": self.loads, "id": self.ids}
            if name in kinds and tag != "use":
                kinds[name].append(value or "")


def pages(site: Path) -> Iterator[Path]:
    """Yield the pages of the site that are no copied report."""
    return (page for page in sorted(site.rglob("*.html")) if page.parent.name != "report")


def page_of(site: Path, target: str) -> Path:
    """Return the page of the first target whose folder begins so."""
    return min(site.glob(f"targets/{target}*")) / "index.html"


# --- as files ------------------------------------------------------------------------------------


def test_there_is_a_page_for_each_target_and_run_and_the_reports_stand_beside_theirs(site: Path) -> None:
    assert len(list(site.glob("targets/*/index.html"))) == 4
    assert sorted(int(path.parent.name) for path in site.glob("runs/*/index.html")) == list(range(1, 13))
    assert {path.parents[1].name for path in site.glob("runs/*/report/index.html")} == {"9", "10", "11", "12"}
    names = {path.name for path in (site / "runs/9/report").iterdir()}
    assert names == {"index.html", "compliance.json", "junit.xml", "summary.md", "results.sarif"}


def test_every_link_leads_to_a_file_that_is_there_and_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in pages(site):
        found = Links(page)
        for link in [*found.hrefs, *found.loads]:
            if link.startswith("data:image/svg+xml,"):
                continue
            parts = urlsplit(link)
            assert not parts.scheme, link
            assert not parts.netloc, link
            file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert file.is_file(), f"{page}: {link}"
            if parts.fragment:
                assert parts.fragment in (found.ids if file == page else Links(file).ids), f"{page}: {link}"
        assert not {"script", "iframe", "object", "base"} & found.tags
        assert not {name for name in found.attributes if name.startswith("on")} | {"style"} & found.attributes


def test_the_policy_lets_nothing_run_and_names_the_style_by_its_hash(site: Path) -> None:
    for page in pages(site):
        text = page.read_text("utf-8")
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
        (style,) = re.findall("<style>(.*?)</style>", text, re.DOTALL)
        digest = b64encode(sha256(style.encode()).digest()).decode()
        assert policy.replace("&#39;", "'") == (
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
        )


def test_a_target_is_called_by_its_name_and_its_url_comes_second(tmp_path: Path) -> None:
    with Store(tmp_path / "history.db", create=True) as store:
        for day, name in enumerate(("east", "west"), 1):
            store.add(snapshot(history_samples.night(sample.passing(), day), name=name))
        write_site(store, tmp_path / "site")
    index = (tmp_path / "site/index.html").read_text("utf-8")
    for name in ("east", "west"):
        page = page_of(tmp_path / "site", name)
        assert page.is_file()
        assert (
            f'<a href="targets/{page.parent.name}/index.html">{name}</a></span> <code class="quiet">http://queue'
            in index
        )
        assert f"<title>Conformant – {name} – Queue conformance</title>" in page.read_text("utf-8")


def test_the_index_begins_with_the_digest(site: Path) -> None:
    text = (site / "index.html").read_text("utf-8")
    titles = re.findall('<dt>(.*?)</dt><dd class="how-many">(\\d+)</dd>', text)
    assert titles == [
        ("Broken now", "2"),
        ("Newly broken", "0"),
        ("Fixed", "0"),
        ("Not reached", "0"),
        ("Waivers that expire within 14 days", "0"),
    ]
    assert text.index('class="five"') < text.index('class="group') < text.index('class="targets"')


def test_a_strip_says_what_each_night_showed(site: Path) -> None:
    text = page_of(site, "queue-example-8188-cloud").read_text("utf-8")
    assert 'aria-label="9 nights: broken 4, not reached 1, conformant 4"' in text
    (path,) = re.findall('<path class="night-not-reached" d="(.*?)"/>', text)
    assert path.count("M") == 1
    assert 'aria-label="Broken clauses over time: at most 4 in a run; must 2 and should 2 in the newest one"' in text


def test_badges_stand_beside_the_page_of_a_target_and_count_its_profiles(site: Path) -> None:
    folder = page_of(site, "queue-example-8188-cloud").parent
    message = json.loads((folder / "badge.json").read_text("utf-8"))["message"]
    assert message.startswith("non-conformant · 1 waived · queue 19/21 · http 4/4 · auth 1/1 · ")
    text = (folder / "index.html").read_text("utf-8")
    assert "<dt>Profile queue</dt><dd>19 of 21 checked</dd>" in text
    assert '<td class="number" data-label="Checked">24</td>' in text
    assert (folder / "badge.svg").read_text("utf-8").startswith("<svg ")


def test_the_worst_target_stands_first(site: Path) -> None:
    text = (site / "index.html").read_text("utf-8")
    order = re.findall(r'<li class="target v-([a-z-]+)">', text)
    assert order == ["non-conformant", "non-conformant", "inconclusive", "conformant"]


def test_it_can_be_written_again_and_others_files_stay(site: Path) -> None:
    (site / "CNAME").write_text("queue.example")
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    with Store(site.parent / "history.db") as store:
        write_site(store, site, reports=find_reports(site.parent / "reports"), title="Nights & days")
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == before


def test_somebody_elses_index_is_not_replaced(site: Path, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>My blog</h1>")
    with Store(site.parent / "history.db") as store, pytest.raises(FileExistsError, match="not a page of this suite"):
        write_site(store, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_a_history_without_a_run_is_no_site(tmp_path: Path) -> None:
    with Store(tmp_path / "history.db", create=True) as store, pytest.raises(HistoryProblem, match="has no run yet"):
        write_site(store, tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_as_many_runs_as_wanted_have_a_page_and_no_link_is_dead(tmp_path: Path) -> None:
    with Store(history_samples.fill(tmp_path / "history.db")) as store:
        write_site(store, tmp_path / "site", runs=3)
    site = tmp_path / "site"
    assert sorted(int(path.parent.name) for path in site.glob("runs/*/index.html")) == [6, 7, 8]
    test_every_link_leads_to_a_file_that_is_there_and_nothing_is_loaded_from_elsewhere(site)


def test_a_report_that_was_judged_again_does_not_stand_for_the_run(tmp_path: Path) -> None:
    """It has the times of the run that it was made from, and may come before or after it."""
    report = sample.passing()
    made = MadeFrom(
        file="x",
        judged="2026-02-01T00:00:00Z",
        suite_version="1.0.0",
        document_sha256="f" * 64,
        dialect="cloud",
        edition=1,
        verdict=report.verdict,
        verdict_reason="",
    )
    again = structs.replace(report, run=structs.replace(report.run, made_from=made))
    for name, one in (("a", again), ("b", report), ("c", again)):
        write_reports(one, tmp_path / name)
    assert list(find_reports(tmp_path).directories.values()) == [tmp_path / "b"]


def test_a_target_whose_newest_run_was_of_some_clauses_shows_the_last_whole_one(tmp_path: Path) -> None:
    some = structs.replace(sample.passing(), clauses=(sample.clause("item.array"),))
    some = structs.replace(some, run=structs.replace(some.run, partial=True, selected="-k array"))
    with Store(history_samples.fill(tmp_path / "history.db", (sample.failing, lambda: some))) as store:
        write_site(store, tmp_path / "site")
    text = page_of(tmp_path / "site", "queue").read_text("utf-8")
    assert "The statuses below are from run 1" in text
    assert "Partial run: -k array" in text
    assert 'id="c-http.content-type"' in text


# --- in a browser --------------------------------------------------------------------------------

KINDS = ("index.html", "runs/index.html", "runs/9/index.html", "runs/3/index.html", "queue-example-8188-cloud", "x-inv")


def url(site: Path, kind: str) -> str:
    """Return where a page is: a path, or the beginning of the name of a target's folder."""
    return (site / kind if kind.endswith(".html") else page_of(site, kind)).as_uri()


@pytest.mark.browser
@pytest.mark.parametrize("kind", one_in(2, KINDS))
def test_nothing_of_a_server_runs_and_nothing_overflows(opener: Opener, site: Path, kind: str) -> None:
    harmless(opener(url(site, kind)))


@pytest.mark.browser
@in_both_schemes(("index.html", 1200), ("index.html", 360), *((kind, 1200) for kind in KINDS[1:5]), quick=["dark"])
def test_axe_finds_nothing(opener: Opener, site: Path, name: str, scheme: Scheme, width: int) -> None:
    assert not violations(opener(url(site, name), width=width, color_scheme=scheme))


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["runs/index.html", "queue-example-8188-cloud"])
def test_on_a_phone_every_verdict_of_the_table_is_in_sight(opener: Opener, site: Path, kind: str) -> None:
    page = opener(url(site, kind), width=390)
    boxes = [verdict.bounding_box() for verdict in page.locator(".runs .verdict-word").all()]
    assert len(boxes) >= 9
    assert all(box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)


@pytest.mark.browser
def test_from_the_index_to_the_evidence_and_back(opener: Opener, site: Path) -> None:
    """As somebody does in the morning: which target, since when, what changed, which report; by links alone."""
    page = opener(url(site, "index.html"))
    page.get_by_role("link", name="http://queue.example:8188").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Non-conformant")
    expect(page.get_by_text("Non-conformant since run 8 of 2026-01-08")).to_be_visible()
    page.get_by_role("link", name="Run 8, 2026-01-08 03:00:00 UTC: non-conformant").click()
    expect(page.get_by_text("Worse: 2 clauses newly failed")).to_be_visible()
    page.get_by_role("link", name="create_time is in milliseconds").first.click()
    expect(page.locator("[id='c-item.create-time.milliseconds']")).to_be_in_viewport()
    page.get_by_role("link", name="Next: run 9").click()
    page.get_by_role("link", name="The report, with its evidence").click()
    expect(page.get_by_role("heading", name="Fix this first")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Nights & days").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nights & days")


@pytest.mark.browser
def test_the_badge_is_shown(opener: Opener, site: Path) -> None:
    page = opener(url(site, "queue-example-8188-cloud"))
    image = page.get_by_alt_text("GET /api/queue: non-conformant")
    assert image.evaluate("(one) => one.complete && one.naturalWidth") > 200


@pytest.mark.browser
def test_dark_is_dark_and_light_is_light(opener: Opener, site: Path) -> None:
    dark_and_light(opener, url(site, "index.html"))
