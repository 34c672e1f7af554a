"use strict";
// Two layers over one picture with a divider between them, moved by the range below or by the pointer.
(() => {
  const shared = window.ovrisisbench;
  const { find } = shared;
  const frame = find("frame");
  if (!frame) return;
  const divider = find("divider");
  const [under, over] = ["under", "over"].map((name) => frame.querySelector(`.${name}`));

  function move() {
    frame.style.setProperty("--divider", `${divider.value}%`);
    const names = ["left", "right"].map((id) => find(id).selectedOptions[0]?.textContent || "");
    divider.setAttribute("aria-valuetext", `${divider.value} percent ${names[0]}, the rest ${names[1]}`);
  }

  function follow(event) {
    const box = frame.getBoundingClientRect();
    divider.value = String(Math.round(100 * (event.clientX - box.left) / box.width));
    move();
  }

  frame.addEventListener("pointerdown", (event) => {
    frame.setPointerCapture(event.pointerId);
    follow(event);
  });
  frame.addEventListener("pointermove", (event) => {
    if (frame.hasPointerCapture(event.pointerId)) follow(event);
    shared.point?.(event, frame);
  });
  divider.addEventListener("input", move);

  shared.compare = { under, over, move, picture: frame.querySelector("img") };
})();
