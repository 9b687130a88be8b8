"use strict";
// Filters, search, and what older browsers do not do by themselves. Without it the page is whole, only unfiltered.
(() => {
  const form = document.getElementById("filters");
  const find = document.getElementById("find");
  const shown = document.getElementById("shown");
  const openAll = document.getElementById("open-all");
  const clauses = [...document.querySelectorAll(".clause")];
  const texts = new Map(clauses.map((clause) => [clause, clause.textContent.toLowerCase()]));

  const checked = (name) => [...form.querySelectorAll(`input[name=${name}]:checked`)].map((box) => box.value);

  function filter() {
    const statuses = checked("status"), levels = checked("level");
    const terms = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let number = 0;
    for (const clause of clauses) {
      const keep = (!statuses.length || statuses.includes(clause.dataset.status)) &&
        (!levels.length || levels.includes(clause.dataset.level)) &&
        terms.every((term) => texts.get(clause).includes(term));
      clause.hidden = !keep;
      number += keep;
    }
    for (const subject of document.querySelectorAll(".subject"))
      subject.hidden = !subject.querySelector(".clause:not([hidden])");
    document.getElementById("none").hidden = number > 0;
    shown.textContent = number === clauses.length ? `${number} clauses` : `${number} of ${clauses.length} clauses`;
  }

  // A link to a clause that is filtered away or closed still leads there.
  function reveal() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const clause = target && target.closest(".clause");
    if (!clause) return;
    if (clause.hidden) { form.reset(); filter(); }
    for (let at = target; at; at = at.parentElement) if (at instanceof HTMLDetailsElement) at.open = true;
    target.scrollIntoView();
  }

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  openAll.addEventListener("click", () => {
    const open = openAll.textContent === "Open all";
    for (const clause of clauses) clause.open = open;
    openAll.textContent = open ? "Close all" : "Open all";
  });
  addEventListener("hashchange", reveal);

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of opened) details.open = false; });

  form.hidden = false;
  filter();
  reveal();
})();
