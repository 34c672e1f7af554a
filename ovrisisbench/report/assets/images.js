"use strict";
// The images of a data set: a list in the chosen order, and what every model made of the chosen one.
(() => {
  const shared = window.ovrisisbench;
  const { element, find } = shared;
  const { classes, models, colours, judges, images } = JSON.parse(find("browser-data").textContent);
  const withMaps = colours !== null;
  let current = null;
  let maps = null;

  const chosenClass = () => (find("class").value === "" ? null : Number(find("class").value));
  const figureOf = (scores) => (chosenClass() === null ? scores?.miou : scores?.iou[chosenClass()]) ?? null;

  function figure(image) {
    const by = find("by").value;
    const found = (by === "" ? judges : [Number(by)]).map((index) => figureOf(image.scores[index])).filter((value) => value !== null);
    return found.length ? found.reduce((total, value) => total + value, 0) / found.length : null;
  }

  function list() {
    const sign = find("order").value === "worst" ? 1 : -1;
    const shown = images.map((image) => [figure(image), image]).filter(([value]) => value !== null);
    shown.sort(([one], [other]) => sign * (one - other));
    const buttons = shown.map(([value, image]) => {
      const button = element("button", "thumb", "", { type: "button" });
      if (image.picture) button.append(element("img", "", "", { src: image.picture, alt: "", loading: "lazy" }));
      button.append(element("span", "id", image.id), element("b", "", value.toFixed(1)));
      button.setAttribute("aria-pressed", String(image === current));
      button.addEventListener("click", () => show(image));
      return button;
    });
    find("strip").replaceChildren(...(buttons.length ? buttons : [element("p", "dim", "None of these images has this class.")]));
    const stays = !shown.length || shown.some(([, image]) => image === current);
    if (!stays) show(shown[0][1]);
    return stays;
  }

  const layers = () => [["picture", ""], ["ground truth", "truth"], ...models.map((name, index) => [name, String(index)])]
    .map(([name, key]) => ({ name, key }));
  const palette = () => colours[find("colours").value];
  const labelsOf = (key) => (key === "truth" ? maps.truth : maps.predictions[key]);

  function paint(canvas, key) {
    const labels = maps && key !== "" ? labelsOf(key) : null;
    canvas.hidden = !labels;
    if (!labels) return;
    const errors = find("mode").value === "errors" && key !== "truth";
    shared.paintLabels(canvas, maps, labels, {
      palette: palette().map((colour) => [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16))),
      truth: errors ? maps.truth : null,
      only: chosenClass(),
    });
  }

  function choose(id, value) {
    find(id).value = value;
    paint(shared.compare[id === "left" ? "under" : "over"], value);
    shared.compare.move();
  }

  function panes() {
    find("panes").replaceChildren(...layers().map(({ name, key }) => {
      const pane = element("figure", "pane");
      const caption = element("figcaption");
      caption.append(element("span", "", name));
      const value = models[key] === undefined ? null : figureOf(current.scores[Number(key)]);
      if (models[key] !== undefined) caption.append(element("b", "", value === null ? "–" : value.toFixed(1)));
      if (!maps) {
        pane.append(caption);
        return models[key] === undefined ? null : pane;
      }
      const words = `Put ${name} on the right of the divider`;
      const button = element("button", "frame", "", { type: "button", title: words, ariaLabel: words });
      const canvas = element("canvas");
      button.append(element("img", "", "", { src: current.picture, alt: "" }), canvas);
      paint(canvas, key);
      if (key !== "" && canvas.hidden) button.append(element("span", "none", "no label map kept"));
      button.addEventListener("click", () => choose("right", key));
      button.addEventListener("pointermove", (event) => shared.point(event, button));
      pane.append(button, caption);
      return pane;
    }).filter(Boolean));
  }

  function keys() {
    const there = (index) => judges.some((model) => current.scores[model]?.iou[index] !== undefined);
    find("keys").replaceChildren(...classes.map((name, index) => {
      const button = element("button", "key", name, { type: "button" });
      button.style.setProperty("--c", palette()[index]);
      button.setAttribute("aria-pressed", String(chosenClass() === index));
      button.addEventListener("click", () => {
        find("class").value = chosenClass() === index ? "" : String(index);
        if (list()) draw();
      });
      const item = element("li", "", "", { hidden: !there(index) });
      item.append(button);
      return item;
    }));
  }

  function costs() {
    const found = maps ? Object.entries(maps.costs) : [];
    find("costs").hidden = found.length === 0;
    if (!found.length) return;
    const counted = new Map();
    maps.truth.forEach((label) => counted.set(label, (counted.get(label) || 0) + 1));
    counted.delete(255);
    const commonest = [...counted].sort(([, one], [, other]) => other - one)[0]?.[0] ?? 0;
    const label = chosenClass() ?? commonest;
    find("costs-class").textContent = `of ${classes[label]}`;
    find("costs-rows").replaceChildren(...found.map(([model, stages]) => {
      const row = element("div", "costrow");
      row.append(element("h4", "", models[Number(model)]));
      const line = element("div", "panes");
      for (const stage of stages) {
        const pane = element("figure", "pane");
        const canvas = element("canvas", "cost");
        canvas.style.aspectRatio = `${maps.width} / ${maps.height}`;
        shared.paintCosts(canvas, stage, label);
        const caption = element("figcaption");
        caption.append(element("span", "", stage.name), element("small", "", `${stage.low.toPrecision(3)} to ${stage.high.toPrecision(3)}`));
        pane.append(canvas, caption);
        line.append(pane);
      }
      row.append(line);
      return row;
    }));
  }

  shared.point = (event, place) => {
    if (!maps) return;
    const box = place.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    if (x < 0 || y < 0 || x >= 1 || y >= 1) return;
    const index = Math.floor(y * maps.height) * maps.width + Math.floor(x * maps.width);
    const word = (label, key) => (label === 255 ? (key === "truth" ? "ignored" : "no class") : classes[label]);
    const parts = layers().filter(({ key }) => key !== "" && labelsOf(key));
    find("readout").textContent = parts.map(({ name, key }) => `${name}: ${word(labelsOf(key)[index], key)}`).join(" · ");
  };

  function draw() {
    panes();
    if (!withMaps) return;
    find("compare").hidden = !maps;
    find("keys").hidden = !maps;
    if (maps) {
      keys();
      for (const id of ["left", "right"]) choose(id, find(id).value);
    }
    costs();
  }

  async function show(image) {
    current = image;
    maps = null;
    find("image-title").textContent = image.id;
    find("stage").ariaBusy = "true";
    for (const button of find("strip").querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.querySelector(".id").textContent === image.id));
    }
    if (image.maps) {
      const found = await shared.maps(image);
      if (current !== image) return;
      maps = found;
      shared.compare.picture.src = image.picture;
      find("frame").style.aspectRatio = `${maps.width} / ${maps.height}`;
    }
    draw();
    find("stage").ariaBusy = "false";
  }

  find("browser").hidden = false;
  if (withMaps) {
    for (const { name, key } of layers()) for (const id of ["left", "right"]) find(id).append(new Option(name, key));
    find("left").value = "truth";
    find("right").value = models.length ? "0" : "";
    for (const id of ["left", "right"]) find(id).addEventListener("change", () => choose(id, find(id).value));
    const fade = () => find("browser").style.setProperty("--labels", String(find("opacity").value / 100));
    find("opacity").addEventListener("input", fade);
    fade();
    for (const id of ["mode", "colours"]) find(id).addEventListener("change", draw);
  }
  for (const id of ["order", "by", "class"]) find(id).addEventListener("change", () => list() && draw());
  list();
})();
