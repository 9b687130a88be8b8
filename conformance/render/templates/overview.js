"use strict";
// Pages, filters and sorting for the table. Without this script, the table is one long page.
(() => {
  const PAGE = 100;
  const body = document.getElementById("rows");
  const form = document.getElementById("filters");
  const find = document.getElementById("find");
  const heads = [...document.querySelectorAll(".endpoints thead th")];
  const [before, after] = [document.getElementById("before"), document.getElementById("after")];
  const all = [...body.rows].map((row, place) => ({ row, place, outcome: row.className.slice(2), text: null }));
  body.replaceChildren();
  let kept = all, page = 0, sorted = null;

  const written = (number) => number.toLocaleString("en");
  const value = (entry, column) => {
    const text = entry.row.cells[column].textContent;
    return heads[column].classList.contains("number") ? parseFloat(text.replaceAll(",", "")) : text;
  };

  function show() {
    const last = Math.max(0, Math.ceil(kept.length / PAGE) - 1);
    page = Math.min(Math.max(page, 0), last);
    body.replaceChildren(...kept.slice(page * PAGE, (page + 1) * PAGE).map((entry) => entry.row));
    before.disabled = page === 0;
    after.disabled = page === last;
    document.getElementById("pager").hidden = last === 0;
    document.getElementById("place").textContent = `Page ${written(page + 1)} of ${written(last + 1)}`;
    document.getElementById("none").hidden = kept.length > 0;
    document.getElementById("shown").textContent =
      `${kept.length === all.length ? "" : `${written(kept.length)} of `}${written(all.length)} targets`;
  }

  function filter() {
    const outcomes = [...form.querySelectorAll("input[name=outcome]:checked")].map((box) => box.value);
    const terms = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    kept = all.filter((entry) => {
      if (outcomes.length && !outcomes.includes(entry.outcome)) return false;
      if (!terms.length) return true;
      entry.text ??= entry.row.textContent.toLowerCase();
      return terms.every((term) => entry.text.includes(term));
    });
    if (sorted) {
      const { column, down } = sorted;
      const keys = new Map(kept.map((entry) => [entry, value(entry, column)]));
      const order = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b);
      const known = kept.filter((entry) => !Number.isNaN(keys.get(entry)));
      known.sort((a, b) => (down ? -1 : 1) * order(keys.get(a), keys.get(b)) || a.place - b.place);
      kept = [...known, ...kept.filter((entry) => Number.isNaN(keys.get(entry)))];
    }
    page = 0;
    show();
  }

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = sorted && sorted.column === column ? !sorted.down : head.classList.contains("number");
      sorted = { column, down };
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      filter();
    });
  });
  before.addEventListener("click", () => { page -= 1; show(); });
  after.addEventListener("click", () => { page += 1; show(); });
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => {
    sorted = null;
    for (const head of heads) head.removeAttribute("aria-sort");
    filter();
  }));
  // A link to a folded section opens it. One with the name of a target also filters the table for it.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (!link) return;
    const section = document.getElementById(link.hash.slice(1));
    if (section instanceof HTMLDetailsElement) section.open = true;
    if (!link.classList.contains("found")) return;
    form.reset();
    find.value = link.dataset.find;
    setTimeout(() => { find.value = link.dataset.find; filter(); });
  });

  form.hidden = false;
  show();
})();
