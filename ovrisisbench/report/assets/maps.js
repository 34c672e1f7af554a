"use strict";
// Label and cost maps: from the deflated bytes that a file hands over to pixels of a canvas.
(() => {
  const shared = (window.ovrisisbench ||= {});
  const IGNORED = 255;
  const WRONG = [213, 94, 0];
  const SAFE = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#332288", "#44aa99",
    "#882255", "#ddcc77", "#117733", "#aa4499", "#999933", "#88ccee", "#661100", "#bbbbbb", "#000000"];

  const waiting = new Map();
  const opened = new Map();

  async function unpacked(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // Files of maps are scripts that call this: pages from the disk may not read files in any other way.
  shared.receive = (content) => waiting.get(content.id)?.(content);

  async function loaded(image) {
    const content = await new Promise((resolve, reject) => {
      waiting.set(image.id, resolve);
      const script = document.createElement("script");
      script.src = image.maps;
      script.onerror = () => reject(new Error(`${image.maps} is missing`));
      document.head.append(script);
    });
    const predictions = {};
    for (const [model, text] of Object.entries(content.predictions)) predictions[model] = await unpacked(text);
    const costs = {};
    for (const [model, stages] of Object.entries(content.costs)) {
      costs[model] = await Promise.all(stages.map(async (stage) => ({ ...stage, maps: await unpacked(stage.maps) })));
    }
    return { ...content, truth: await unpacked(content.truth), predictions, costs };
  }

  shared.maps = (image) => {
    if (!opened.has(image.id)) opened.set(image.id, loaded(image));
    return opened.get(image.id);
  };

  shared.palette = (colours, safe) => colours.map((own, index) => {
    const text = safe ? SAFE[index % SAFE.length] : own;
    return { text, rgb: [1, 3, 5].map((start) => parseInt(text.slice(start, start + 2), 16)) };
  });

  /** Paint labels: all classes or one, or only what differs from the truth. */
  shared.paintLabels = (canvas, maps, labels, { palette, truth = null, only = null }) => {
    const { width, height } = maps;
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(width, height);
    for (let index = 0, at = 0; index < labels.length; index += 1, at += 4) {
      const label = labels[index];
      const x = index % width;
      const y = (index - x) / width;
      let colour = label === IGNORED ? ((x + y) % 8 < 2 ? [90, 90, 90] : [210, 210, 210]) : palette[label].rgb;
      let alpha = label === IGNORED ? 150 : 255;
      if (truth) {
        colour = WRONG;
        alpha = truth[index] === IGNORED || truth[index] === label ? 0 : 255;
        if (only !== null && label !== only && truth[index] !== only) alpha = 0;
      } else if (only !== null && label !== only) {
        alpha = 0;
      }
      pixels.data.set([...colour, alpha], at);
    }
    context.putImageData(pixels, 0, 0);
  };

  /** Paint the cost map of one class, dark to bright, in steps that every kind of sight tells apart. */
  shared.paintCosts = (canvas, stage, label) => {
    const { width, height } = stage;
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(width, height);
    const start = label * width * height;
    for (let index = 0; index < width * height; index += 1) {
      const share = stage.maps[start + index] / 255;
      const ends = [[0, 32, 77], [124, 123, 120], [255, 234, 70]];
      const half = share < 0.5 ? 0 : 1;
      const part = share * 2 - half;
      const colour = ends[half].map((from, band) => from + (ends[half + 1][band] - from) * part);
      pixels.data.set([...colour, 255], index * 4);
    }
    context.putImageData(pixels, 0, 0);
  };
})();
