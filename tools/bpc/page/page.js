"use strict";
// The page of a script: everything is drawn from the model, whose numbers the script's own compiled code writes anew when one changes.
const model = JSON.parse(document.getElementById("model").textContent);
const $ = id => document.getElementById(id);
const live = model.page.live;

function element(tag, attributes = {}, ...children) {
  const svg = ["svg", "path", "polyline", "line", "rect", "circle", "text", "g"].includes(tag);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter(child => child !== null && child !== ""));
  return made;
}

// ---- numbers ----

const numberOf = x => x === "nan" ? NaN : x === "inf" ? Infinity : x === "-inf" ? -Infinity : Number(x);
const isScalar = x => x === null || typeof x !== "object";

// As C's %.6g.
function number(x, digits = 6) {
  x = numberOf(x);
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x < 0 ? "-inf" : "inf";
  if (x === 0) return "0";
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e"), power = Number(exponent);
  if (power < -5 + 1 || power >= digits)
    return `${mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  const fixed = x.toFixed(Math.max(0, digits - 1 - power));
  return fixed.includes(".") ? fixed.replace(/\.?0+$/, "") : fixed;
}
const bracketed = x => numberOf(x) < 0 ? `(${number(x)})` : number(x);

function* flat(x) {
  if (Array.isArray(x)) for (const each of x) yield* flat(each);
  else yield numberOf(x);
}
const normOf = x => {
  if (isScalar(x)) return Math.abs(numberOf(x));
  if (!Array.isArray(x)) return numberOf(x.norm);
  let sum = 0;
  for (const each of flat(x)) sum += each * each;
  return Math.sqrt(sum);
};
const isZero = x => normOf(x) === 0;

function strip(x) {
  const all = [...flat(x)], cells = Math.min(all.length, 12), sizes = [];
  for (let i = 0; i < cells; ++i) {
    const from = Math.floor(i * all.length / cells), to = Math.floor((i + 1) * all.length / cells);
    sizes.push(all.slice(from, to).reduce((sum, each) => sum + Math.abs(each), 0) / (to - from));
  }
  const largest = Math.max(...sizes.filter(Number.isFinite));
  return sizes.map(s => !Number.isFinite(s) ? "!" : s === 0 ? "·" : "▁▂▃▄▅▆▇█"[Math.min(7, Math.floor(s / largest * 8))]).join("");
}

// A scalar is its number; a tensor its shape, norm and extremes, and a strip of blocks.
function shown(x, shape) {
  if (x === null || x === undefined) return "";
  if (isScalar(x)) return number(x);
  const at = `[${shape.join(", ")}]`;
  if (!Array.isArray(x)) return `${at} norm ${number(x.norm, 3)}, ${number(x.min, 3)} … ${number(x.max, 3)}`;
  const all = [...flat(x)].filter(each => !Number.isNaN(each));
  if (all.length === 0) return `${at} empty`;
  const low = all.reduce((a, b) => Math.min(a, b)), high = all.reduce((a, b) => Math.max(a, b));
  return `${at} norm ${number(normOf(x), 3)}, ${number(low, 3)} … ${number(high, 3)} ${strip(x)}`;
}
const brief = (x, shape) => isScalar(x) ? `= ${number(x, 4)}` : `[${shape.join(", ")}] norm ${number(normOf(x), 3)}`;

// "{0}·{1} + {2}" with the numbers, true and false for "{3b}"; a negative one behind an operator, or under a power, stands in brackets.
function filled(text, numbers) {
  return text.replace(/\{(\d+)(b?)\}/g, (whole, index, isBool, at) => {
    const value = numbers[Number(index)];
    if (isBool) return String(Boolean(value));
    const before = text.slice(0, at).trimEnd(), after = text.slice(at + whole.length);
    const isFree = before === "" || /[(,[]$/.test(before);
    return numberOf(value) < 0 && (!isFree || /^[\^.·]/.test(after)) ? `(${number(value)})` : number(value);
  });
}

// ---- what there is to step through ----

const forward = model.steps.map((step, id) => ({ ...step, id })).filter(step => step.shown);
const backward = model.backward.filter(id => model.values[id].gradient !== null);
// In forward mode derivatives go along with the steps, from the input of one to its result.
const isForward = model.along !== null;
const inputOf = each => isForward ? each.from : each.to, resultOf = each => isForward ? each.to : each.from;
const origin = isForward ? model.by[0] : model.of;  // where the walk starts
const partsBy = model.values.map(() => []);
for (const each of model.contributions) if (each.to !== null) partsBy[each.to].push(each);
const partsTo = id => partsBy[id];
const length = forward.length + backward.length;
let position = length;  // of the slider: 0 before the first step

function why(contribution) {
  const of = contribution.factor && /^-?step\((.+)\)$/.exec(contribution.factor.text);
  const quantity = of && model.values.find(each => each.name === of[1]);
  if (!contribution.why || !quantity) return contribution.why || "";
  if (isScalar(quantity.value)) return `${number(quantity.value)} ${numberOf(quantity.value) > 0 ? ">" : "≤"} 0`;
  const all = [...flat(quantity.value)];
  return `${all.filter(x => x > 0).length} of ${all.length} are > 0`;
}

function numbersOf(step) {
  return step.numbered ? filled(step.numbered, step.read) : step.numbers || "";
}
const stepResult = step => step.results.map(id => shown(model.values[id].value, model.values[id].shape)).join("; ");

function localTexts(step) {
  const texts = [];
  for (const input of step.inputs) {
    const uses = model.contributions.filter(each => each.step === step.id && each.from !== null && inputOf(each) === input);
    if (step.kind !== "operation" || uses.length === 0 || !uses.every(use => use.factor)) continue;
    const name = `∂${model.values[resultOf(uses[0])].name}/∂${model.values[input].name}`;
    const scalars = uses.every(use => isScalar(use.factor_value)), reason = why(uses[0]);
    const formula = uses.map(use => use.factor.text).join(" + ");
    const total = scalars ? number(uses.reduce((sum, use) => sum + numberOf(use.factor_value), 0)) : "";
    const sides = [name];
    if (!(reason && scalars) && formula.length <= 56) sides.push(formula);
    if (scalars && total !== formula) sides.push(total);
    texts.push(sides.join(" = ") + (reason ? `  (${reason})` : ""));
  }
  return texts;
}

function walk(id) {
  const quantity = model.values[id], parts = partsTo(id), scalar = isScalar(quantity.value);
  const numbers = scalar ? parts.slice(0, 4).map(part => part.factor && part.from !== null && isScalar(part.factor_value)
    ? `${bracketed(model.values[part.from].gradient)} · ${bracketed(part.factor_value)}` : bracketed(part.value)).join(" + ") + (parts.length > 4 ? " + …" : "") : "";
  const lost = parts.find(part => part.from !== null && !isZero(model.values[part.from].gradient) && isZero(part.value));
  const result = shown(quantity.gradient, quantity.shape);
  return {
    of: quantity.gradient_name,
    symbolic: parts.length === 0 ? (isForward && id === origin ? model.values[model.along].name : "0") : parts.slice(0, 4).map(part => part.term).join(" + ") + (parts.length > 4 ? " + …" : ""),
    numbers: numbers === result ? "" : numbers,
    result,
    why: lost ? `nothing goes on: ${why(lost) || (lost.factor ? lost.factor.text + " = 0" : "the part is 0")}` : "",
  };
}

// ---- drawing ----

const link = (id, text, css) => element("button", { type: "button", class: css, onclick: () => choose(id) }, text);

function drawSource() {
  const box = $("source");
  for (const file of model.page.sources)
    file.text.replace(/\n$/, "").split("\n").forEach((text, i) => box.append(
      element("div", { class: "line", "data-place": `${file.path}:${i + 1}` }, element("span", { class: "no" }, String(i + 1)), element("span", {}, text || " "))));
}

const header = (...names) => element("thead", {}, element("tr", {}, ...names.map(name => element("th", { scope: "col" }, name))));

function drawTables() {
  const rows = forward.map((step, i) => element("tr", { "data-row": i },
    element("td", {}, step.place ? String(step.place.line) : ""),
    element("td", {}, step.results.length === 1 ? link(step.results[0], step.text) : step.text),
    element("td", { class: "number" }, numbersOf(step)),
    element("td", { class: "number value" }, stepResult(step)),
    element("td", { class: "number" }, localTexts(step).join("   "))));
  $("forward").replaceChildren(header("line", "value", "numbers", "result", "local derivatives"), element("tbody", {}, ...rows));
  const walks = backward.map((id, i) => {
    const text = walk(id);
    return element("tr", { "data-row": forward.length + i },
      element("td", {}, link(id, text.of, "gradient")),
      element("td", {}, `= ${text.symbolic}`),
      element("td", { class: "number" }, text.numbers ? `= ${text.numbers}` : ""),
      element("td", { class: "number gradient" }, `= ${text.result}`),
      element("td", { class: "number" }, text.why));
  });
  $("backward").replaceChildren(header("derivative", "by the chain rule", "numbers", "result", "why it ends"), element("tbody", {}, ...walks));
  $("backward-section").hidden = backward.length === 0;
}

// What Graphviz has drawn, all of it by the names that stand in its titles: "q3", "n0", "q3:e->n0".
const drawn = new Map();
function readGraph() {
  for (const group of document.querySelectorAll("#graph svg g.node, #graph svg g.edge")) {
    const title = group.querySelector("title"), name = title.textContent.replace(/:[a-z]+/g, "");
    title.remove();
    const alone = name.replace(/x\d+/, "");  // what is read by many is drawn beside each of them: "q3x2"
    drawn.set(alone, [...(drawn.get(alone) || []), group]);
    if (/^q\d+$/.test(alone)) {
      group.classList.add("q");
      group.addEventListener("click", () => choose(Number(alone.slice(1))));
    }
  }
  for (const title of document.querySelectorAll("#graph svg title")) title.remove();
  // A graph that nearly fits is drawn to fit; a larger one scrolls.
  const svg = document.querySelector("#graph svg");
  if (!svg) return;
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "The graph of the script; the tables below say the same");
  const natural = svg.viewBox.baseVal.width * 4 / 3;
  const fit = () => {
    const room = svg.parentElement.clientWidth, width = natural <= room ? natural : Math.max(room, natural * 0.7);
    svg.setAttribute("width", width);
    svg.removeAttribute("height");
  };
  fit();
  addEventListener("resize", fit);
}

function drawGraph() {
  model.values.forEach((quantity, id) => {
    for (const group of drawn.get(`q${id}`) || []) {
      const [above, below] = group.querySelectorAll("text");
      above.textContent = `${quantity.name} ${brief(quantity.value, quantity.shape)}`;
      if (quantity.gradient !== null && below) below.textContent = `${quantity.gradient_name} ${brief(quantity.gradient, quantity.shape)}`;
    }
  });
}

let marked = [];
function mark(node) {
  if (!node) return;
  node.classList.add("now");
  marked.push(node);
}
const markDrawn = name => (drawn.get(name) || []).forEach(mark);

// Of each place of the slider, from 0, the rows of the tables and the texts of the graph that are there from then on.
const appearing = [];
let reached = 0;  // how many of them are shown
function collectAppearing() {
  appearing.length = 0;
  for (const row of document.querySelectorAll("[data-row]")) appearing[Number(row.dataset.row)] = [row];
  const add = (place, id, which) => {
    for (const group of drawn.get(`q${id}`) || []) {
      const text = group.querySelectorAll("text")[which];
      if (text) (appearing[place] ||= []).push(text);
    }
  };
  forward.forEach((step, i) => step.results.forEach(id => add(i, id, 0)));
  backward.forEach((id, i) => add(forward.length + i, id, 1));
  if (origin !== null && !backward.includes(origin)) add(Math.min(forward.length, length - 1), origin, 1);
  appearing.forEach((all, place) => all.forEach(each => each.classList.toggle("later", place >= position)));
  reached = position;
}

// Shows what is there after `position` steps, and marks the last of them.
function drawPosition() {
  for (const node of marked) node.classList.remove("now");
  marked = [];
  $("at").value = position;
  for (let place = Math.min(reached, position); place < Math.max(reached, position); ++place)
    for (const each of appearing[place] || []) each.classList.toggle("later", place >= position);
  reached = position;
  const last = position - 1;
  let said = position === 0 ? "Before the first step." : "", place = null;
  if (last >= 0 && last < forward.length) {
    const step = forward[last];
    place = step.place;
    markDrawn(`n${step.id}`);
    for (const id of step.results) markDrawn(`q${id}`);
    for (const id of new Set([...step.inputs, ...step.given])) markDrawn(`q${id}->n${step.id}`);
    said = `${step.text}${numbersOf(step) ? ` = ${numbersOf(step)}` : ""} = ${stepResult(step)}`;
  } else if (last >= forward.length) {
    const id = backward[last - forward.length], text = walk(id);
    place = model.values[id].place;
    markDrawn(`q${id}`);
    for (const part of partsTo(id)) {
      markDrawn(`q${id}->n${part.step}`);
      markDrawn(`n${part.step}`);
      if (part.from !== null) markDrawn(`q${part.from}`);
    }
    said = `${text.of} = ${text.symbolic}${text.numbers ? ` = ${text.numbers}` : ""} = ${text.result}${text.why ? `   ${text.why}` : ""}`;
  }
  if (place)
    for (let line = place.line; line <= place.end_line; ++line) {
      const node = document.querySelector(`[data-place="${CSS.escape(`${place.file}:${line}`)}"]`);
      mark(node);
      if (node && line === place.line) {
        const box = $("source");
        if (node.offsetTop < box.scrollTop + box.offsetTop || node.offsetTop > box.scrollTop + box.offsetTop + box.clientHeight - 24)
          box.scrollTop = node.offsetTop - box.offsetTop - box.clientHeight / 2;
      }
    }
  mark(appearing[last]?.[0]);
  $("said").textContent = said;
  $("first").disabled = $("back").disabled = position === 0;
  $("next").disabled = $("last").disabled = position === length;
}

function goTo(step) {
  position = Math.max(0, Math.min(length, step));
  drawPosition();
  tell({ position: position === length ? null : position });
}

// ---- the chain rule of one value ----

let chosen = null;
function choose(id) {
  chosen = id;
  drawChain();
  $("chain-section").scrollIntoView({ block: "nearest" });
}

function drawChain() {
  const box = $("chain");
  if (chosen === null) {
    box.replaceChildren(element("p", { class: "hint" }, "Choose a value in the graph or in a table."));
    return;
  }
  const quantity = model.values[chosen], lines = [];
  lines.push(element("p", {}, `${quantity.name} = ${shown(quantity.value, quantity.shape)}`));
  if (quantity.gradient === null) {
    lines.push(element("p", {}, model.of === null ? "Nothing is differentiated here." : isForward ? `It does not move with ${model.values[origin].name}, or is not on the way from there.` : `${model.values[model.of].name} does not depend on it, or it is not on the way to what the derivative is taken by.`));
    box.replaceChildren(...lines);
    return;
  }
  const chain = model.chains.find(each => each.of === chosen);
  if (chain && chain.paths.length > 0) {
    const symbolic = [], numbers = [];
    for (const path of chain.paths) {
      const factors = [], values = [];
      for (const at of path) {
        const part = model.contributions[at], uses = model.contributions.filter(each => each.step === part.step && inputOf(each) === inputOf(part));
        const sum = uses.reduce((all, use) => all + numberOf(use.factor_value), 0), names = uses.map(use => use.symbol);
        if (uses.length === 1 && names[0] === "1") continue;
        factors.push(names.length === 1 ? names[0] : `(${names.join(" + ")})`);
        values.push(bracketed(sum));
      }
      if (isForward) {
        factors.push(model.values[origin].gradient_name);
        values.push(bracketed(model.values[origin].gradient));
      }
      symbolic.push(factors.join(" · ") || "1");
      numbers.push(values.join(" · ") || "1");
    }
    lines.push(element("p", { class: "gradient" }, `${quantity.gradient_name} = ${symbolic.join(" + ")} = ${numbers.join(" + ")} = ${number(quantity.gradient)}`));
  }
  // The whole way, from the value up to where the walk starts: each line is the sum over everything that it comes from.
  const seen = new Set(), list = element("ol");
  const follow = id => {
    if (seen.has(id) || (id === origin && !isForward)) return;
    seen.add(id);
    const text = walk(id);
    list.append(element("li", {}, link(id, text.of, "gradient"), ` = ${text.symbolic}${text.numbers ? ` = ${text.numbers}` : ""} = ${text.result}${text.why ? `   (${text.why})` : ""}`));
    for (const part of partsTo(id)) if (part.from !== null) follow(part.from);
  };
  follow(chosen);
  lines.push(list);
  box.replaceChildren(...lines);
}

// ---- loops and branches ----

function spark(values, css) {
  const finite = values.map(numberOf).map(x => Number.isFinite(x) ? x : 0), low = Math.min(0, ...finite), high = Math.max(0, ...finite), span = high - low || 1;
  const points = finite.map((y, i) => `${(i + 0.5) / finite.length * 100},${30 - (y - low) / span * 28 - 1}`).join(" ");
  return element("svg", { viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true", class: css }, element("polyline", { points, fill: "none", stroke: "currentColor", "stroke-width": 1.5, "vector-effect": "non-scaling-stroke" }));
}

// Whether derivatives vanish or explode on their way.
function trend(gradients) {
  const sizes = [gradients[0], gradients.at(-1)].map(x => Math.abs(numberOf(x))), [first, last] = isForward ? sizes.reverse() : sizes;
  const way = isForward ? "on the way" : "on the way back", end = isForward ? "last" : "first";
  if (gradients.length < 3 || (first === 0 && last === 0)) return "";
  if (first * 100 < last) return first === 0 ? `vanishes ${way}` : `vanishes ${way}: ${number(last / first, 2)} × smaller at the ${end} turn`;
  return first > last * 100 && last !== 0 ? `explodes ${way}: ${number(first / last, 2)} × larger at the ${end} turn` : "";
}

// Of a condition that each element has for itself.
const trueFor = ({ each, shape }) => `true for ${Math.round(normOf(each) ** 2)} of ${shape.reduce((a, b) => a * b, 1)}`;

function drawLoops() {
  $("loops-section").hidden = model.loops.length === 0;
  $("loops").replaceChildren(...model.loops.map((loop, i) => element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Values of loop ${i + 1}` },
    element("table", { class: "loop-table" }, header("value", `${loop.turns} turns`, "first … last", "derivative", "first … last", "trend"),
      element("tbody", {}, ...loop.values.map(value => element("tr", {},
        element("td", {}, value.norm ? `norm of ${value.name}` : value.name),
        element("td", {}, spark(value.sizes, "value")), element("td", {}, `${number(value.sizes[0], 4)} … ${number(value.sizes.at(-1), 4)}`),
        element("td", {}, spark(value.gradients, "gradient")), element("td", {}, `${number(value.gradients[0], 4)} … ${number(value.gradients.at(-1), 4)}`),
        element("td", {}, value.one_walk ? trend(value.gradients) : ""))))))));
  $("branches-section").hidden = model.branches.length === 0;
  $("branches").replaceChildren(...model.branches.map(each => element("li", {},
    `line ${each.place.line}${each.turn === null ? "" : `, turn ${each.turn}`}: \`if ${each.condition}\` is ${each.shape ? trueFor(each) : each.taken}`)));
}

// ---- the script's own code ----

const kArrays = { f32: Float32Array, f64: Float64Array, i32: Int32Array, i64: BigInt64Array, bool: Uint8Array };
const bytesOf = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
let machine = null;  // the module, and where its numbers are in its memory

async function start() {
  if (!live) return;
  let stopped = null, memory = null;
  const { instance } = await WebAssembly.instantiate(bytesOf(live.code), { env: {
    bpc_hook_stop: (_, site) => { stopped = site; }, bpc_rt_far_sin: Math.sin, bpc_rt_far_cos: Math.cos, bpc_rt_far_tan: Math.tan, bpc_rt_far_fmod: (a, b) => a % b } });
  memory = instance.exports.memory;
  let top = instance.exports.__heap_base.value;
  const place = (bytes, align) => { const at = Math.ceil(top / align) * align; top = at + bytes; return at; };
  const context = place(40, 64), buffers = place(4 * (live.inputs.length + live.outputs.length + live.constants.length + 1), 8);
  const count = shape => shape.reduce((a, b) => a * b, 1), size = port => Math.max(1, count(port.shape)) * kArrays[port.element].BYTES_PER_ELEMENT;
  const constants = live.constants.map(bytesOf);
  const inputs = live.inputs.map(port => place(size(port), live.alignment)), outputs = live.outputs.map(port => place(size(port), live.alignment));
  const fixed = constants.map(bytes => place(bytes.length, live.alignment)), arena = place(live.arena, live.alignment);
  const missing = Math.ceil((top - memory.buffer.byteLength) / 65536);
  if (missing > 0) memory.grow(missing);
  const view = new DataView(memory.buffer);
  [...inputs, ...outputs, ...fixed, arena].forEach((at, i) => view.setUint32(buffers + 4 * i, at, true));
  view.setUint32(context, context + 32, true);
  view.setBigUint64(context + 8, BigInt(live.most_turns), true);
  constants.forEach((bytes, i) => new Uint8Array(memory.buffer, fixed[i], bytes.length).set(bytes));
  const array = (port, at) => new kArrays[port.element](memory.buffer, at, count(port.shape));
  const given = live.inputs.map((port, i) => array(port, inputs[i])), results = live.outputs.map((port, i) => array(port, outputs[i]));
  live.inputs.forEach((port, i) => new Uint8Array(memory.buffer, inputs[i], size(port)).set(bytesOf(port.data)));
  machine = {
    given, results, start: given.map(each => each.slice()),
    // null, or why there are no numbers.
    run() {
      stopped = null;
      if (instance.exports.bpc_entry(buffers, context) !== 0n) {
        const site = live.sites[stopped];
        return site ? `line ${site.line}: ${site.text}` : "a loop takes too many turns";
      }
      const other = live.guards.findIndex((guard, i) => Number(results[live.outputs.findIndex(port => port.path === `/guards/${i}`)][0]) !== guard.value);
      return other < 0 ? null : `line ${live.guards[other].line} goes another way with these numbers, which this page does not hold: run \`bpc explain\` with them`;
    },
  };
}

const read = (array, at, element) => element === "bool" ? array[at] !== 0 : Number(array[at]);
function nested(array, shape, element, from = 0) {
  if (shape.length === 0) return read(array, from, element);
  const [size, ...rest] = shape, step = rest.reduce((a, b) => a * b, 1);
  return Array.from({ length: size }, (_, i) => nested(array, rest, element, from + i * step));
}
function summary(array) {
  let sum = 0, min = Infinity, max = -Infinity;
  for (const x of array) { const y = Number(x); sum += y * y; min = Math.min(min, y); max = Math.max(max, y); }
  return { norm: Math.sqrt(sum), min, max };
}

// Writes what the code has computed into the model, each number at its place.
function takeNumbers() {
  live.outputs.forEach((port, i) => {
    if (port.path.startsWith("/guards/")) return;
    const path = port.path.split("/").slice(1), last = path.pop(), holder = path.reduce((at, key) => at[key], model), array = machine.results[i];
    let value = array.length > 4096 ? summary(array) : nested(array, port.shape, port.element);
    if (path[0] === "loops" && port.shape.length > 0) value = normOf(value);
    holder[last] = value;
  });
}

let failure = null;
function compute() {
  failure = machine.run();
  if (failure === null) takeNumbers();
  return failure === null;
}

function redraw() {
  $("said").classList.toggle("failed", failure !== null);
  if (failure !== null) {
    $("said").textContent = failure;
    return;
  }
  drawTables();
  drawGraph();
  drawChain();
  drawLoops();
  collectAppearing();
  drawPosition();
}

// ---- inputs and parameters ----

const kMostCells = 64;
const editable = live ? live.inputs.map((port, i) => ({ port, i })).filter(({ port }) => port.name) : [];
const elements = [];  // of params: {i, at, name}, what a contour can go along

function drawInputs() {
  const box = $("inputs");
  if (!live) {
    $("inputs-hint").hidden = true;
    box.append(element("p", { class: "hint" }, model.page.why_not));
    return;
  }
  for (const { port, i } of editable) {
    const count = port.shape.reduce((a, b) => a * b, 1), of = port.kind === "param" ? "parameter" : "input";
    const row = element("div", { class: "one" }, element("span", { class: "name" }, port.name), element("span", { class: "hint" }, port.shape.length ? `${of} [${port.shape.join(", ")}]` : of));
    const columns = port.shape.length ? port.shape.at(-1) : 1;
    if (count > kMostCells) {
      row.append(element("span", { class: "hint" }, "too large to edit here"));
    } else {
      const grid = element("div", { class: "grid", style: `grid-template-columns: repeat(${Math.max(1, columns)}, auto)` });
      for (let at = 0; at < count; ++at) {
        const index = [];
        for (let axis = port.shape.length - 1, rest = at; axis >= 0; rest = Math.floor(rest / port.shape[axis]), --axis) index.unshift(rest % port.shape[axis]);
        const name = port.shape.length ? `${port.name}[${index.join(", ")}]` : port.name;
        if (port.kind === "param" && /^f/.test(port.element)) elements.push({ i, at, name });
        grid.append(element("input", { type: "number", step: "any", "aria-label": name, "data-input": `${i}:${at}`, oninput: event => change(i, at, event.target) }));
      }
      row.append(grid);
    }
    box.append(row);
  }
  fillInputs();
}

// The shortest decimal of its type.
function decimal(x, element) {
  if (element !== "f32") return String(x);
  for (let digits = 6; digits < 10; ++digits) if (Math.fround(Number(x.toPrecision(digits))) === x) return String(Number(x.toPrecision(digits)));
  return String(x);
}

function fillInputs() {
  for (const field of document.querySelectorAll("[data-input]")) {
    const [i, at] = field.dataset.input.split(":").map(Number);
    if (document.activeElement !== field) field.value = decimal(Number(machine.given[i][at]), live.inputs[i].element);
  }
}

function change(i, at, field) {
  const port = live.inputs[i], value = Number(field.value);
  if (field.value.trim() === "" || !Number.isFinite(value)) return;
  machine.given[i][at] = port.element === "i64" ? BigInt(Math.trunc(value)) : port.element === "bool" ? Number(value !== 0) : value;
  compute();
  losses = [];
  way = [];
  redraw();
  drawCurve();
  drawContour();
}

// ---- training ----

let losses = [], way = [];
const lossOf = () => numberOf(model.values[model.of].value);
// Params move against a gradient; what moves along a direction gives none.
const params = live && !isForward ? editable.filter(({ port }) => port.kind === "param" && port.quantity !== null && model.by.includes(port.quantity)) : [];

function train(steps) {
  const rate = Number($("rate").value);
  if (!(rate > 0)) return;
  if (losses.length === 0) losses.push(lossOf()), way.push(pointNow());
  for (let step = 0; step < steps; ++step) {
    const before = params.map(({ i }) => machine.given[i].slice());
    params.forEach(({ port, i }) => {
      const output = live.outputs.findIndex(each => each.path === `/values/${port.quantity}/gradient`);
      if (output < 0) return;
      const gradient = machine.results[output], single = port.element === "f32";
      for (let at = 0; at < gradient.length; ++at)
        machine.given[i][at] = single ? Math.fround(machine.given[i][at] - Math.fround(Math.fround(rate) * gradient[at])) : machine.given[i][at] - rate * gradient[at];
    });
    if (!compute()) {
      const why = failure;
      params.forEach(({ i }, k) => machine.given[i].set(before[k]));
      compute();
      redraw();
      $("trained").textContent = `Step ${losses.length} was not taken: ${why}`;
      return;
    }
    losses.push(lossOf());
    way.push(pointNow());
    if (!Number.isFinite(losses.at(-1))) break;
  }
  const name = model.values[model.of].name;
  $("trained").textContent = Number.isFinite(losses.at(-1)) ? `After ${losses.length - 1} step${losses.length === 2 ? "" : "s"}: ${name} = ${number(losses.at(-1))}`
    : `After ${losses.length - 1} steps ${name} is ${number(losses.at(-1))}: the rate is too large.`;
  redraw();
  fillInputs();
  drawCurve();
  drawContour();
}

function reset() {
  machine.start.forEach((each, i) => machine.given[i].set(each));
  losses = [];
  way = [];
  compute();
  redraw();
  fillInputs();
  drawCurve();
  drawContour();
  $("trained").textContent = "";
}

function drawCurve() {
  const svg = $("curve"), points = losses.filter(Number.isFinite);
  svg.replaceChildren();
  const line = (x1, y1, x2, y2) => element("line", { x1, y1, x2, y2, stroke: "currentColor", "stroke-opacity": 0.4 });
  svg.append(line(40, 180, 310, 180), line(40, 10, 40, 180));
  if (points.length === 0) return;
  const low = Math.min(...points), high = Math.max(...points), span = high - low || 1;
  const at = points.map((y, i) => [40 + (points.length === 1 ? 0 : i / (points.length - 1) * 265), 175 - (y - low) / span * 160]);
  svg.append(element("polyline", { points: at.map(p => p.join(",")).join(" "), fill: "none", stroke: "var(--accent)", "stroke-width": 2 }));
  for (const [x, y] of at.length <= 60 ? at : [at.at(-1)]) svg.append(element("circle", { cx: x, cy: y, r: 2.5, fill: "var(--accent)" }));
  svg.append(element("text", { x: 2, y: 20 }, number(high, 3)), element("text", { x: 2, y: 178 }, number(low, 3)), element("text", { x: 40, y: 195 }, "0"), element("text", { x: 290, y: 195 }, String(points.length - 1)));
  svg.setAttribute("aria-label", `The loss after each step: from ${number(points[0])} to ${number(points.at(-1))} in ${points.length - 1} steps`);
}

const axes = () => [elements[Number($("cx").value)], elements[Number($("cy").value)]];
const pointNow = () => elements.length < 2 ? null : elements.map(({ i, at }) => machine.given[i][at]);

let pending = 0;
function drawContour() {
  cancelAnimationFrame(pending);
  pending = requestAnimationFrame(contourNow);
}

// J over two params, the others as they are; the way that training took across it.
function contourNow() {
  if (elements.length < 2 || params.length === 0) return;
  const [a, b] = axes(), svg = $("contour"), kCells = 26, now = [machine.given[a.i][a.at], machine.given[b.i][b.at]].map(Number);
  const ka = Number($("cx").value), kb = Number($("cy").value), taken = way.filter(Boolean).map(point => [Number(point[ka]), Number(point[kb])]);
  const range = k => {
    const all = [now[k], ...taken.map(point => point[k])].filter(Number.isFinite), low = Math.min(...all), high = Math.max(...all);
    const margin = Math.max(0.6 * (high - low), 0.5 * Math.abs(now[k]), 1);
    return [low - margin, high + margin];
  };
  const [x0, x1] = range(0), [y0, y1] = range(1), cells = [];
  const output = live.outputs.findIndex(each => each.path === `/values/${model.of}/value`);
  for (let r = 0; r < kCells; ++r)
    for (let c = 0; c < kCells; ++c) {
      machine.given[a.i][a.at] = x0 + (c + 0.5) / kCells * (x1 - x0);
      machine.given[b.i][b.at] = y0 + (r + 0.5) / kCells * (y1 - y0);
      cells.push(machine.run() === null ? Number(machine.results[output][0]) : NaN);
    }
  machine.given[a.i][a.at] = now[0];
  machine.given[b.i][b.at] = now[1];
  machine.run();
  const sorted = cells.filter(Number.isFinite).sort((p, q) => p - q), width = 264 / kCells, height = 210 / kCells;
  svg.replaceChildren();
  cells.forEach((value, k) => {
    if (!Number.isFinite(value)) return;
    let rank = 0, end = sorted.length;
    while (rank < end) { const middle = (rank + end) >> 1; if (sorted[middle] < value) rank = middle + 1; else end = middle; }
    const level = Math.floor(rank / Math.max(1, sorted.length - 1) * 11.99) / 11;
    svg.append(element("rect", { x: 46 + (k % kCells) * width, y: 10 + (kCells - 1 - Math.floor(k / kCells)) * height, width: width + 0.4, height: height + 0.4, fill: `hsl(${215 + 35 * level} 60% ${30 + 58 * level}%)` }));
  });
  const at = ([x, y]) => [46 + (x - x0) / (x1 - x0) * 264, 10 + (y1 - y) / (y1 - y0) * 210];
  if (taken.length > 1) svg.append(element("polyline", { points: taken.map(point => at(point).join(",")).join(" "), fill: "none", stroke: "#d1350f", "stroke-width": 2 }));
  const [px, py] = at(now);
  svg.append(element("circle", { cx: px, cy: py, r: 5, fill: "#d1350f", stroke: "#fff", "stroke-width": 1.5 }));
  svg.append(element("text", { x: 46, y: 236 }, number(x0, 3)), element("text", { x: 280, y: 236 }, number(x1, 3)), element("text", { x: 160, y: 252 }, `${a.name} →`),
    element("text", { x: 2, y: 20 }, number(y1, 3)), element("text", { x: 2, y: 218 }, number(y0, 3)), element("text", { x: 2, y: 0 }, `↑ ${b.name}`));
  const caption = `${model.values[model.of].name} over ${a.name} and ${b.name}, dark where it is small; the dot is where they are now.`;
  $("contour-caption").textContent = caption;
  svg.setAttribute("aria-label", caption);
}

function prepareTraining() {
  $("train-section").hidden = params.length === 0;
  for (const id of ["cx", "cy"]) {
    elements.forEach((each, k) => $(id).append(element("option", { value: k }, each.name)));
    $(id).addEventListener("change", drawContour);
  }
  if (elements.length > 1) $("cy").value = "1";
  $("contour-figure").hidden = elements.length < 2;
  $("train1").addEventListener("click", () => train(1));
  $("train20").addEventListener("click", () => train(20));
  $("reset").addEventListener("click", reset);
}

// ---- controls ----

let timer = null;
function play() {
  const button = $("play");
  if (timer !== null) {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
    button.setAttribute("aria-label", "Play");
    return;
  }
  if (position === length) goTo(0);
  button.textContent = "Pause";
  button.setAttribute("aria-label", "Pause");
  timer = setInterval(() => position === length ? play() : goTo(position + 1), 900);
}

// A page within `bpc play` says where it stands, and is told where the one before it stood.
const framed = parent !== window;
function tell(what) {
  if (framed) parent.postMessage(what, "*");
}
addEventListener("message", event => {
  if (!framed || event.source !== parent) return;
  if (typeof event.data.position === "number") goTo(event.data.position);
  if (event.data.theme) setTheme(event.data.theme === "dark");
});

function setTheme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  $("theme").setAttribute("aria-pressed", String(dark));
}

function prepareControls() {
  $("at").max = length;
  $("at").addEventListener("input", () => goTo(Number($("at").value)));
  $("first").addEventListener("click", () => goTo(0));
  $("back").addEventListener("click", () => goTo(position - 1));
  $("next").addEventListener("click", () => goTo(position + 1));
  $("last").addEventListener("click", () => goTo(length));
  $("play").addEventListener("click", play);
  document.addEventListener("keydown", event => {
    if (event.target.closest("input, select, button, .scroll") && event.key !== "Escape") return;
    const keys = { ArrowRight: 1, ArrowLeft: -1 };
    if (event.key in keys) goTo(position + keys[event.key]);
    else if (event.key === "Home") goTo(0);
    else if (event.key === "End") goTo(length);
    else if (event.key === " ") play();
    else return;
    event.preventDefault();
  });
  setTheme(matchMedia("(prefers-color-scheme: dark)").matches);
  $("theme").addEventListener("click", () => {
    setTheme(document.documentElement.dataset.theme !== "dark");
    tell({ theme: document.documentElement.dataset.theme });
  });
}

async function main() {
  prepareControls();
  drawSource();
  readGraph();
  await start();
  drawInputs();
  prepareTraining();
  $("cost-section").hidden = !model.page.cost;
  $("cost").textContent = model.page.cost || "";
  $("static").textContent = live ? `This page needs no network: it holds the script's own compiled code (${Math.ceil(live.code.length * 3 / 4 / 1024)} KiB).` : model.page.why_not;
  if (machine) compute();
  redraw();
  if (params.length > 0) {
    drawCurve();
    drawContour();
  }
  document.documentElement.dataset.ready = "true";
  tell({ ready: true });
}
main();
