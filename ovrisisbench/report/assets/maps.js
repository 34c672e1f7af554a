"use strict";
// Label and cost maps: from the deflated bytes that a file hands over to pixels of a canvas.
(() => {
  const shared = window.ovrisisbench;
  const IGNORED = 255;
  const WRONG = [213, 94, 0];
  const [DARK, MIDDLE, BRIGHT] = [[0, 32, 77], [124, 123, 120], [255, 234, 70]];  // of the map cividis
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

  function put(canvas, pixels) {
    Object.assign(canvas, { width: pixels.width, height: pixels.height });
    canvas.getContext("2d").putImageData(pixels, 0, 0);
  }

  // Paint labels: all classes or one, or only what differs from the truth.
  shared.paintLabels = (canvas, maps, labels, { palette, truth = null, only = null }) => {
    const { width, height } = maps;
    const pixels = new ImageData(width, height);
    for (let index = 0, at = 0; index < labels.length; index += 1, at += 4) {
      const label = labels[index];
      const x = index % width;
      const y = (index - x) / width;
      let colour = label === IGNORED ? ((x + y) % 8 < 2 ? [90, 90, 90] : [210, 210, 210]) : palette[label];
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
    put(canvas, pixels);
  };

  // Paint the cost map of one class, dark to bright, in steps that every kind of sight tells apart.
  shared.paintCosts = (canvas, stage, label) => {
    const { width, height } = stage;
    const pixels = new ImageData(width, height);
    const start = label * width * height;
    for (let index = 0; index < width * height; index += 1) {
      const share = stage.maps[start + index] / 255;
      const [from, to, part] = share < 0.5 ? [DARK, MIDDLE, 2 * share] : [MIDDLE, BRIGHT, 2 * share - 1];
      const colour = from.map((value, band) => value + (to[band] - value) * part);
      pixels.data.set([...colour, 255], index * 4);
    }
    put(canvas, pixels);
  };
})();
