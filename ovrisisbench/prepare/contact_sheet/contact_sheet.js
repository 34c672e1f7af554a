"use strict";
(() => {
  const root = document.documentElement;
  const find = (id) => document.getElementById(id);
  const slider = find("opacity");
  const toggle = find("labels");
  const filter = find("class");
  const figures = [...document.querySelectorAll("figure")];

  function fade() {
    const percent = toggle.checked ? Number(slider.value) : 0;
    root.style.setProperty("--labels", String(percent / 100));
    find("opacity-value").textContent = `${percent}%`;
    slider.setAttribute("aria-valuetext", `${slider.value} percent`);
  }

  function choose() {
    let shown = 0;
    for (const figure of figures) {
      figure.hidden = filter.value !== "" && !figure.dataset.labels.split(" ").includes(filter.value);
      shown += figure.hidden ? 0 : 1;
    }
    find("shown").textContent = `${shown} of ${figures.length} pictures`;
  }

  slider.addEventListener("input", () => {
    toggle.checked = true;
    fade();
  });
  toggle.addEventListener("change", fade);
  filter.addEventListener("change", choose);

  // Escape closes the details of a picture without moving the pointer; the next picture opens its own again.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") root.classList.add("quiet");
  });
  for (const figure of figures) {
    for (const kind of ["pointerenter", "focusin"]) {
      figure.addEventListener(kind, () => root.classList.remove("quiet"));
    }
  }

  // Browsers restore what was chosen before a reload, without telling.
  find("controls").hidden = false;
  fade();
  choose();
})();
