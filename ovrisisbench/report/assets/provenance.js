"use strict";
// Where the figures of a row come from, in a dialog.
(() => {
  const { element, find } = window.ovrisisbench;
  const content = JSON.parse(find("provenance-data").textContent);
  const dialog = find("provenance");
  const body = dialog.querySelector(".dialogbody");

  function group([heading, pairs]) {
    const list = element("dl");
    for (const [name, value] of pairs) list.append(element("dt", "", name), element("dd", "", value));
    const made = element("section");
    made.append(element("h3", "", heading), list);
    return made;
  }

  function recordPart(records, key) {
    const part = element("div");
    const label = element("label", "pick", "Data set ");
    const select = element("select");
    for (const record of records) select.append(new Option(record.title, record.key));
    label.append(select);
    const shown = element("div");
    function show() {
      const record = records.find((one) => one.key === select.value);
      shown.replaceChildren(...record.groups.map(group));
      if (record.link) {
        const line = element("p");
        line.append(element("a", "", `Classes, confusion and images of ${record.title}`, { href: record.link }));
        shown.prepend(line);
      }
    }
    if (records.some((record) => record.key === key)) select.value = key;
    select.addEventListener("change", show);
    show();
    part.append(label, shown);
    return part;
  }

  function open(id, key) {
    const row = content[id];
    if (!row) return;
    find("provenance-title").textContent = row.title;
    body.replaceChildren(...row.groups.map(group));
    if (row.records.length) body.prepend(recordPart(row.records, key));
    dialog.showModal();
    body.scrollTop = 0;
  }

  for (const row of document.querySelectorAll("tr[data-row]")) {
    row.addEventListener("click", (event) => {
      const cell = event.target.closest("td, th");
      if (cell && (cell.dataset.key || event.target.closest("button"))) open(row.dataset.row, cell.dataset.key);
    });
  }
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
})();
