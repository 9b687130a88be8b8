"use strict";
// Filters, search, copy buttons, and links into closed parts for older browsers. Without this script, the page is still complete.
(() => {
  const form = document.getElementById("filters");
  const find = document.getElementById("find");
  const shown = document.getElementById("shown");
  const openAll = document.getElementById("open-all");
  const clauses = [...document.querySelectorAll(".clause")];
  const texts = new Map(clauses.map((clause) => [clause, clause.textContent.toLowerCase()]));

  const checked = (name) => [...form.querySelectorAll(`input[name=${name}]:checked`)].map((box) => box.value);

  let wasFiltered = false;

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
    const filtered = number < clauses.length;
    for (const subject of document.querySelectorAll(".subject")) {
      subject.hidden = !subject.querySelector(".clause:not([hidden])");
      if (filtered || wasFiltered) subject.open = filtered;
    }
    wasFiltered = filtered;
    document.getElementById("none").hidden = number > 0;
    shown.textContent = number === clauses.length ? `${number} clauses` : `${number} of ${clauses.length} clauses`;
  }

  // Show the clause in the URL, even if it is filtered out or closed. Older reports had "c-" before the id.
  function reveal() {
    const name = decodeURIComponent(location.hash.slice(1));
    const target = name && (document.getElementById(name) || document.getElementById(name.replace(/^c-/, "")));
    if (!target) return;
    const clause = target.closest(".clause");
    if (clause && clause.hidden) { form.reset(); filter(); }
    for (let at = target; at; at = at.parentElement) if (at instanceof HTMLDetailsElement) at.open = true;
    target.scrollIntoView();
  }

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  openAll.addEventListener("click", () => {
    const open = openAll.textContent === "Open all";
    for (const details of document.querySelectorAll(".subject, .clause")) details.open = open;
    openAll.textContent = open ? "Close all" : "Open all";
  });
  addEventListener("hashchange", reveal);

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll(".finding:not([open])")];
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of opened) details.open = false; });

  for (const button of document.querySelectorAll(".copy")) {
    const command = button.closest(".again").querySelector("code");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(command.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(command);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    button.hidden = !navigator.clipboard;
  }

  form.hidden = false;
  filter();
  reveal();
})();
