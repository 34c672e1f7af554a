"use strict";
// Tables that sort by a click on a column, the choice of the metric, and the filters of the leaderboard.
(() => {
  const { find } = window.ovrisisbench;
  const metricOf = (table) => table.closest("[data-metric]")?.dataset.metric;

  function valueOf(row, column, table) {
    const cell = row.cells[column];
    const shown = cell.querySelector(`.${metricOf(table) || "none"}`) || cell.querySelector("[data-value]") || cell;
    return shown.dataset.value ?? "";
  }

  function sorted(table, rows, column, kind, direction) {
    const sign = direction === "ascending" ? 1 : -1;
    const keyed = rows.map((row) => [valueOf(row, column, table), row]);
    keyed.sort(([one], [other]) => {
      if (one === "" || other === "") return (one === "") - (other === "");  // what has no figure stays below
      return sign * (kind === "number" ? Number(one) - Number(other) : one.localeCompare(other));
    });
    return keyed.map(([, row]) => row);
  }

  function sortBy(table, column, kind, direction) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, index) => {
      if (index === column && direction) head.setAttribute("aria-sort", direction);
      else head.removeAttribute("aria-sort");
    });
    table.classList.toggle("flat", Boolean(direction));
    const rows = table.original.filter((row) => row.classList.contains("row"));
    body.append(...(direction ? sorted(table, rows, column, kind, direction) : table.original));
  }

  function resort(table) {
    const head = table.querySelector("th[aria-sort]");
    if (head) sortBy(table, head.cellIndex, head.firstElementChild.dataset.sort, head.getAttribute("aria-sort"));
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    table.original = [...table.tBodies[0].rows];
    for (const button of table.tHead.querySelectorAll("button")) {
      const kind = button.dataset.sort;
      const order = kind === "number" ? ["descending", "ascending", ""] : ["ascending", "descending", ""];
      button.addEventListener("click", () => {
        const head = button.closest("th");
        const next = order[(order.indexOf(head.getAttribute("aria-sort") || "") + 1) % order.length];
        sortBy(table, head.cellIndex, kind, next);
      });
    }
  }

  for (const radio of document.querySelectorAll("input[name=metric]")) {
    radio.closest("fieldset").hidden = false;
    radio.addEventListener("change", () => {
      for (const place of document.querySelectorAll("[data-metric]")) place.dataset.metric = radio.value;
      document.querySelectorAll("table.sortable").forEach(resort);
    });
    if (radio.checked) radio.dispatchEvent(new Event("change"));  // browsers restore choices after a reload
  }

  const filters = find("filters");
  if (!filters) return;
  const boards = find("boards");
  const rows = [...boards.querySelectorAll("tr.row")];

  function filter() {
    const words = find("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const protocol = find("protocol")?.value || "";
    const train = find("train").value;
    const family = find("family")?.value || "";
    let shown = 0;
    for (const row of rows) {
      const { search, train: ownTrain, family: ownFamily } = row.dataset;
      const fits = words.every((word) => search.includes(word))
        && (train === "*" || train === ownTrain)
        && (!family || family === ownFamily)
        && (!protocol || protocol === row.closest("section").dataset.section);
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    for (const section of boards.querySelectorAll("section")) {
      section.hidden = !section.querySelector("tr.row:not([hidden])");
      let group = null;
      for (const row of section.querySelector("table").original) {
        if (row.classList.contains("group")) (group = row).hidden = true;
        else if (group && !row.hidden) group.hidden = false;
      }
    }
    find("count").textContent = shown === rows.length ? `${shown} rows` : `${shown} of ${rows.length} rows`;
    find("empty").hidden = shown > 0;
  }

  filters.hidden = false;
  filters.addEventListener("input", filter);
  filters.addEventListener("submit", (event) => event.preventDefault());
  find("clear").addEventListener("click", () => {
    find("find").value = "";
    find("train").value = "*";
    for (const id of ["protocol", "family"]) if (find(id)) find(id).value = "";
    filter();
    find("find").focus();
  });
  find("intervals")?.addEventListener("change", (event) => {
    boards.toggleAttribute("data-intervals", event.target.checked);
  });
  boards.toggleAttribute("data-intervals", Boolean(find("intervals")?.checked));
  filter();
})();
