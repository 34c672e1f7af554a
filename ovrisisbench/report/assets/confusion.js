"use strict";
// The confusion matrix of the chosen model.
(() => {
  const { element, find } = window.ovrisisbench;
  const { classes, models } = JSON.parse(find("confusion-data").textContent);
  const table = find("confusion-table");
  const readout = find("confusion-readout");
  const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 0.0005 ? 3 : 1)} %`;

  function cell(tag, text, className, more = {}) {
    const made = element(tag, className, "", more);
    made.append(element("span", "", text));
    return made;
  }

  function draw() {
    const { matrix, name } = models[Number(find("confusion-model").value)];
    const byTruth = find("confusion-share").value === "truth";
    const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
    const totals = classes.map((_, index) => sum(byTruth ? matrix[index] : matrix.map((row) => row[index])));
    const head = document.createElement("tr");
    head.append(cell("th", "truth ↓  prediction →", "corner"));
    for (const title of classes) head.append(cell("th", title, "slant", { scope: "col", title }));
    const rows = matrix.map((numbers, truth) => {
      const row = document.createElement("tr");
      row.append(cell("th", classes[truth], "model", { scope: "row" }));
      numbers.forEach((pixels, prediction) => {
        const total = totals[byTruth ? truth : prediction];
        const share = total ? pixels / total : 0;
        const made = cell("td", pixels ? (share >= 0.995 ? "100" : (100 * share).toFixed(share < 0.1 ? 1 : 0)) : "", "heatcell");
        if (total) made.firstChild.style.setProperty("--v", share.toFixed(3));
        if (truth === prediction) made.classList.add("diagonal");
        const words = `truth ${classes[truth]}, predicted ${classes[prediction]}: ${pixels.toLocaleString("en")} pixels`
          + (total ? `, ${percent(share)} of ${byTruth ? "the truth" : "the prediction"}` : "");
        made.title = words;
        made.addEventListener("pointerenter", () => { readout.textContent = words; });
        row.append(made);
      });
      return row;
    });
    table.replaceChildren(element("caption", "hush", `Confusion matrix of ${name}, percent`), head, ...rows);
  }

  find("confusion-controls").hidden = false;
  for (const id of ["confusion-model", "confusion-share"]) find(id).addEventListener("change", draw);
  draw();
})();
