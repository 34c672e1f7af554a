"use strict";
// The confusion matrix of the chosen model.
(() => {
  const { classes, models } = JSON.parse(document.getElementById("confusion-data").textContent);
  const find = (id) => document.getElementById(id);
  const table = find("confusion-table");
  const readout = find("confusion-readout");
  const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 0.0005 ? 3 : 1)} %`;

  function cell(tag, text, className = "") {
    const made = document.createElement(tag);
    made.className = className;
    const inner = document.createElement("span");
    inner.textContent = text;
    made.append(inner);
    return made;
  }

  function draw() {
    const { matrix, name } = models[Number(find("confusion-model").value)];
    const byTruth = find("confusion-share").value === "truth";
    const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
    const totals = classes.map((_, index) => sum(byTruth ? matrix[index] : matrix.map((row) => row[index])));
    const head = document.createElement("tr");
    head.append(cell("th", "truth ↓  prediction →", "corner"));
    for (const title of classes) head.append(Object.assign(cell("th", title, "slant"), { scope: "col", title }));
    const rows = matrix.map((numbers, truth) => {
      const row = document.createElement("tr");
      row.append(Object.assign(cell("th", classes[truth], "model"), { scope: "row" }));
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
    const caption = document.createElement("caption");
    caption.className = "hush";
    caption.textContent = `Confusion matrix of ${name}, percent`;
    table.replaceChildren(caption, head, ...rows);
  }

  find("confusion-controls").hidden = false;
  for (const id of ["confusion-model", "confusion-share"]) find(id).addEventListener("change", draw);
  draw();
})();
