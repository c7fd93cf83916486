"use strict";
(() => {
  const root = document.documentElement;
  const errors = [];
  const fail = (text) => {
    errors.push(String(text));
    root.dataset.errors = JSON.stringify(errors);
    if (errors.length === 1) {
      const note = make("p", "script-failed", "A script failed on this page: what is drawn may be incomplete.");
      document.body.prepend(note);
    }
  };
  window.addEventListener("error", (event) => fail(event.message));
  window.addEventListener("unhandledrejection", (event) => fail(event.reason));

  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const redraws = [];
  dark.addEventListener("change", () => redraws.forEach((redraw) => redraw()));

  function make(name, className, text) {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  // --- tables -------------------------------------------------------------------------------------------------------

  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    const original = [...body.rows];
    if (original.length < 2) return;
    const keyOf = (row, column) => {
      const cell = row.cells[column];
      const text = cell.textContent.trim();
      if (cell.dataset.sort !== undefined) return { number: Number(cell.dataset.sort), text };
      return { number: text !== "" && Number.isFinite(Number(text)) ? Number(text) : null, text };
    };
    const compare = (a, b) => {
      if (a.number !== null && b.number !== null) return a.number - b.number;
      if (a.number !== null || b.number !== null) return a.number === null ? 1 : -1;
      return a.text.localeCompare(b.text, "en", { numeric: true });
    };
    heads.forEach((head, column) => {
      const button = make("button");
      button.type = "button";
      button.title = "Sort by this column; a third time brings the first order back";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" }[head.getAttribute("aria-sort")];
        heads.forEach((other) => other.setAttribute("aria-sort", "none"));
        head.setAttribute("aria-sort", next);
        const rows = [...original];
        const sign = next === "descending" ? -1 : 1;
        if (next !== "none") rows.sort((a, b) => sign * compare(keyOf(a, column), keyOf(b, column)));
        body.append(...rows);
      });
    });
  }

  // --- receptive fields ---------------------------------------------------------------------------------------------

  function mix(stops, share) {
    const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
    const first = Math.min(Math.floor(place), stops.length - 2);
    return stops[first].map((value, k) => Math.round(value + (place - first) * (stops[first + 1][k] - value)));
  }

  // Blue below zero, red above it, which colour-blind readers can tell apart; zero is the colour of the paper.
  function colours(signed) {
    const stops = dark.matches
      ? signed
        ? [[150, 215, 255], [40, 120, 205], [24, 27, 31], [205, 80, 45], [255, 200, 150]]
        : [[24, 27, 31], [120, 130, 140], [245, 247, 250]]
      : signed
        ? [[5, 48, 97], [67, 147, 195], [247, 247, 247], [214, 96, 77], [103, 0, 31]]
        : [[255, 255, 255], [150, 150, 150], [0, 0, 0]];
    const table = new Uint32Array(256);
    for (let code = 0; code < 256; code++) {
      const [r, g, b] = mix(stops, signed ? (code - 1) / 254 : code / 255);
      table[code] = (255 << 24) | (b << 16) | (g << 8) | r;
    }
    return table;
  }

  // What a class is called, by its place.
  const nameOf = (data, place) => String((data.names || data.classes)[place]);

  function decode(data) {
    const text = atob(data.codes);
    const bytes = new Uint8Array(text.length);
    for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
    return bytes;
  }

  // On a scale of its own, a neuron's strongest weight has the last colour.
  function rescale(data, field, own) {
    const factor = own && data.strongest ? 1 / Math.max(data.strongest[field], 1e-9) : 1;
    if (factor === 1) return (code) => code;
    const [zero, low] = data.signed ? [128, 1] : [0, 0];
    return (code) => Math.min(255, Math.max(low, Math.round(zero + (code - zero) * factor)));
  }

  function drawFields(canvas, data, bytes, chosen, columns, own = false) {
    const { width, height } = data;
    const gap = chosen.length > 1 ? 1 : 0;
    const rows = Math.max(1, Math.ceil(chosen.length / columns));
    canvas.width = columns * (width + gap) - gap;
    canvas.height = rows * (height + gap) - gap;
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    const pixels = new Uint32Array(image.data.buffer);
    const table = colours(data.signed);
    pixels.fill(dark.matches ? 0xff4a433c : 0xffdad5d0);
    chosen.forEach((field, place) => {
      const left = (place % columns) * (width + gap);
      const top = Math.floor(place / columns) * (height + gap);
      const shade = rescale(data, field, own);
      for (let y = 0; y < height; y++) {
        const from = field * width * height + y * width;
        const to = (top + y) * canvas.width + left;
        for (let x = 0; x < width; x++) pixels[to + x] = table[shade(bytes[from + x])];
      }
    });
    context.putImageData(image, 0, 0);
    // What never learned is crossed out.
    context.strokeStyle = getComputedStyle(root).getPropertyValue("--c1");
    const never = new Set(data.never || []);
    chosen.forEach((field, place) => {
      if (!never.has(field)) return;
      const left = (place % columns) * (width + gap);
      const top = Math.floor(place / columns) * (height + gap);
      context.beginPath();
      context.moveTo(left, top + height);
      context.lineTo(left + width, top);
      context.stroke();
    });
  }

  function drawScale(canvas, signed) {
    canvas.width = 255;
    canvas.height = 1;
    const context = canvas.getContext("2d");
    const image = context.createImageData(255, 1);
    new Uint32Array(image.data.buffer).set(colours(signed).subarray(1));
    context.putImageData(image, 0, 0);
  }

  function choice(label, options) {
    const box = make("label", "", label);
    const select = make("select");
    for (const [value, text] of options) {
      const option = make("option", "", text);
      option.value = value;
      select.append(option);
    }
    box.append(select);
    return { box, select };
  }

  function explorer(section) {
    const data = JSON.parse(section.querySelector("script").textContent);
    const bytes = decode(data);
    const body = section.querySelector(".explorer-body");
    const all = data.neurons.map((_, k) => k);
    const known = data.labels !== undefined;
    const numClasses = known && data.means.length ? data.means[0].length : 0;
    const never = new Set(data.never || []);
    const className = (label) => (label < 0 ? "no class" : `class ${nameOf(data, data.classes.indexOf(label))}`);

    const orders = [["number", "number"], ["norm", "L1 norm"], ["theta", "threshold"]];
    if (known) orders.splice(1, 0, ["labels", "class"], ["selectivity", "selectivity"], ["spikes", "recorded spikes"]);
    const order = choice("Order by", orders);
    const counts = new Map();
    for (const label of data.labels || []) counts.set(label, (counts.get(label) || 0) + 1);
    const labels = [...counts.keys()].sort((a, b) => (a < 0) - (b < 0) || a - b);
    const filter = choice("Show", [["all", `all ${all.length}`], ...labels.map((l) => [String(l), `${className(l)} (${counts.get(l)})`])]);
    const numberBox = make("label", "", "Neuron");
    const input = make("input");
    Object.assign(input, { type: "number", min: data.neurons[0], max: data.neurons[data.neurons.length - 1], value: data.neurons[0] });
    numberBox.append(input);
    const controls = make("div", "controls");
    const scaling = choice("Colours", [["all", "one scale for all"], ["neuron", "each neuron's own"]]);
    controls.append(order.box, ...(known ? [filter.box] : []), scaling.box, numberBox);
    const own = () => scaling.select.value === "neuron";

    const gridBox = make("div", "grid-box");
    const grid = make("canvas");
    grid.tabIndex = 0;
    grid.setAttribute("role", "slider");
    grid.setAttribute("aria-label", `Receptive fields of ${data.name}: choose a neuron by the arrow keys`);
    grid.setAttribute("aria-valuemin", "0");
    const marker = make("div", "marker");
    gridBox.append(grid, marker);

    const detail = make("div", "detail");
    const title = make("h4");
    const pictureBox = make("div", "picture-box");
    const large = make("canvas", "field");
    large.setAttribute("role", "img");
    const scale = make("div", "scale");
    const bar = make("canvas");
    bar.setAttribute("aria-hidden", "true");
    const end = String(data.limit);
    scale.append(bar, make("span", "", data.signed ? `≤ −${end}` : "0"), make("span", "", `≥ ${end}`));
    pictureBox.append(large, scale);
    const text = make("div", "text");
    const bars = make("div", "bars");
    const heading = make("p", "heading", "Mean spikes for a training image of each class");
    detail.append(title, pictureBox, ...(known ? [heading, bars] : []), text);
    body.append(controls, gridBox, detail);

    let shown = all;
    let columns = 1;
    let current = 0;
    let pinned = false;

    function showDetail() {
      const k = shown[current];
      const neuron = data.neurons[k];
      const label = known ? data.labels[k] : null;
      title.textContent = known ? `Neuron ${neuron}: ${className(label)}` : `Neuron ${neuron}`;
      drawFields(large, data, bytes, [k], 1, own());
      large.setAttribute("aria-label", `Receptive field of neuron ${neuron}`);
      // Always as many lines: otherwise the grid would move away from the pointer.
      const facts = [`L1 norm ${data.norm[k]}`, `threshold ${data.theta[k]} mV`];
      if (known) facts.unshift(`selectivity ${data.selectivity[k]}`, `${data.spikes[k].toLocaleString("en")} spikes`);
      if (never.has(k)) facts.push("never learned: its weights are those of the beginning");
      facts.push(pinned ? "Held; click it again to let go." : "");
      text.replaceChildren(...facts.map((fact) => make("p", "", fact)));
      bars.replaceChildren();
      if (known) {
        const means = data.means[k];
        const most = Math.max(...means) || 1;
        means.forEach((mean, c) => {
          const mine = data.classes[c] === label ? "own" : "";
          const bar = make("i", mine);
          bar.style.width = `${(100 * mean) / most}%`;
          bars.append(make("span", mine, nameOf(data, c)), bar, make("span", mine, mean.toFixed(mean < 0.1 && mean > 0 ? 3 : 2)));
        });
        bars.setAttribute("role", "img");
        bars.setAttribute("aria-label", `Mean spikes by class: ${means.map((mean, c) => `${nameOf(data, c)}: ${mean}`).join(", ")}`);
      }
      input.value = neuron;
      grid.setAttribute("aria-valuenow", String(current));
      grid.setAttribute("aria-valuetext", title.textContent);
      section.dataset.neuron = String(neuron);
      const cell = grid.clientWidth / columns;
      const high = grid.clientHeight / Math.ceil(shown.length / columns);
      const row = Math.floor(current / columns);
      Object.assign(marker.style, {
        left: `${(current % columns) * cell}px`, top: `${row * high}px`, width: `${cell}px`, height: `${high}px`,
      });
    }

    function layOut() {
      const wide = gridBox.clientWidth || 600;
      const fit = Math.max(1, Math.floor(wide / 22));
      // As high as a wide page, not much higher.
      const many = Math.ceil(Math.sqrt(shown.length * Math.max(1, wide / 700)));
      columns = Math.max(1, Math.min(fit, Math.max(8, many)));
      drawFields(grid, data, bytes, shown, columns, own());
      grid.setAttribute("aria-valuemax", String(shown.length - 1));
      showDetail();
    }

    function choose() {
      const before = data.neurons[shown[current]];
      const key = order.select.value;
      shown = all.filter((k) => filter.select.value === "all" || String(data.labels[k]) === filter.select.value);
      const rank = (k) => (data.labels[k] < 0 ? Infinity : data.labels[k]);
      if (key === "labels") shown.sort((a, b) => rank(a) - rank(b) || data.selectivity[b] - data.selectivity[a]);
      else if (key !== "number") shown.sort((a, b) => data[key][b] - data[key][a]);
      current = Math.max(0, shown.findIndex((k) => data.neurons[k] === before));
      pinned = false;
      layOut();
    }

    function at(event) {
      const box = grid.getBoundingClientRect();
      const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
      const rows = Math.ceil(shown.length / columns);
      const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
      const place = row * columns + column;
      return column >= 0 && column < columns && place >= 0 && place < shown.length ? place : null;
    }

    function select(place, intoView) {
      if (place === null || place < 0 || place >= shown.length) return;
      current = place;
      showDetail();
      if (intoView) marker.scrollIntoView({ block: "nearest" });
    }

    grid.addEventListener("pointermove", (event) => {
      if (!pinned && event.pointerType === "mouse") select(at(event));
    });
    grid.addEventListener("click", (event) => {
      const place = at(event);
      pinned = place !== null && !(pinned && place === current) && event.pointerType !== "touch";
      select(place);
    });
    grid.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -current, End: shown.length - 1 - current };
      if (!(event.key in steps)) return;
      event.preventDefault();
      select(current + steps[event.key], true);
    });
    input.addEventListener("change", () => {
      let place = shown.findIndex((k) => data.neurons[k] === Number(input.value));
      if (place < 0 && filter.select.value !== "all") {
        filter.select.value = "all";
        choose();
        place = shown.findIndex((k) => data.neurons[k] === Number(input.value));
      }
      if (place >= 0) select(place, true);
      else input.value = data.neurons[shown[current]];
    });
    order.select.addEventListener("change", choose);
    filter.select.addEventListener("change", choose);
    scaling.select.addEventListener("change", layOut);
    new ResizeObserver(layOut).observe(gridBox);
    const draw = () => {
      drawScale(bar, data.signed);
      layOut();
    };
    redraws.push(draw);
    draw();
  }

  function growth() {
    const sources = new Map();
    for (const canvas of document.querySelectorAll("canvas[data-source]")) {
      const id = canvas.dataset.source;
      if (!sources.has(id)) {
        const data = JSON.parse(document.getElementById(id).textContent);
        sources.set(id, { data, bytes: decode(data) });
      }
      const { data, bytes } = sources.get(id);
      const draw = () => drawFields(canvas, data, bytes, [Number(canvas.dataset.field)], 1);
      redraws.push(draw);
      draw();
    }
  }

  // --- commands -----------------------------------------------------------------------------------------------------

  function copyable(box) {
    if (!navigator.clipboard) return;
    const button = make("button", "", "Copy");
    button.type = "button";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(box.querySelector("code").textContent).then(
        () => (button.textContent = "Copied"),
        () => (button.textContent = "Not allowed"),
      );
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    box.append(button);
  }

  // A box whose content is wider than itself says so.
  function scrollable(box) {
    const mark = () => {
      const rest = box.scrollWidth - box.clientWidth - box.scrollLeft;
      box.classList.toggle("more-right", rest > 2);
      box.classList.toggle("more-left", box.scrollLeft > 2);
    };
    box.addEventListener("scroll", mark, { passive: true });
    new ResizeObserver(mark).observe(box);
    mark();
  }

  try {
    document.querySelectorAll("table.sortable").forEach(sortable);
    document.querySelectorAll(".explorer").forEach(explorer);
    growth();
    document.querySelectorAll(".scroll").forEach(scrollable);
    document.querySelectorAll(".copyable").forEach(copyable);
  } catch (error) {
    fail(error);
  }
  root.dataset.ready = "yes";
})();
