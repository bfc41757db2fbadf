"use strict";
// What all tools share: temperature, random numbers, drawing when there is something to see.

const settings = { temperature: 1, seed: 1 };
const calmly = matchMedia("(prefers-reduced-motion: reduce)");
const find = (id) => document.getElementById(id);

// Every tool draws with this: temperature makes z longer or shorter before the generator sees it.
function draw(network, z, label) {
  return generate(network, times(z, settings.temperature), label);
}

// Returns a function that asks for a redraw: in the next frame, and only once the section is on
// the screen. Many changes between two frames cost one drawing.
const askAll = [];
function redrawing(section, redraw) {
  let [due, visible, waiting] = [true, false, false];
  function schedule() {
    if (!due || !visible || waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = due = false;
      redraw();
    });
  }
  function ask() {
    due = true;
    schedule();
  }
  const observer = new IntersectionObserver((entries) => {
    visible = entries.at(-1).isIntersecting;
    schedule();
  });
  observer.observe(section);
  askAll.push(ask);
  return ask;
}

function sharedControls() {
  const announce = announcer("bar-says");
  const temperature = slider("temperature", change, (value) => value.toFixed(2));
  function change() {
    settings.temperature = temperature.value;
    askAll.forEach((ask) => ask());
  }
  find("new-random").addEventListener("click", () => {
    settings.seed += 1;
    announce(`New random numbers, set ${settings.seed}`);
    askAll.forEach((ask) => ask());
  });
}

// A <select> of the digits.
function digitMenu(id, chosen, changed, classes) {
  const menu = find(id);
  for (let digit = 0; digit < classes; digit++) menu.add(new Option(digit, digit));
  menu.value = chosen;
  menu.addEventListener("change", changed);
  return {
    get digit() {
      return Number(menu.value);
    },
    set digit(digit) {
      menu.value = digit;
    },
  };
}

// A range input; shows its value beside it, and tells screen readers in words.
function slider(id, changed, words = (value) => String(value)) {
  const input = find(id);
  function say() {
    input.setAttribute("aria-valuetext", words(Number(input.value)));
    find(`${id}-value`).textContent = words(Number(input.value));
  }
  input.addEventListener("input", () => {
    say();
    changed();
  });
  say();
  return {
    get value() {
      return Number(input.value);
    },
    set value(value) {
      input.value = value;
      input.dispatchEvent(new Event("input"));
    },
    input,
  };
}

// A button that moves a slider to its end in so many seconds, or stops it on the way. Whoever
// prefers less motion sees a few still pictures instead of a film.
function playButton(id, range, seconds) {
  const button = find(id);
  const { input } = range;
  const [low, high] = [Number(input.min), Number(input.max)];
  let timer = null;

  function stop() {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
  }

  function play() {
    if (range.value >= high) range.value = low;
    const from = range.value;
    const started = performance.now();
    const pace = calmly.matches ? 1000 : 40;
    button.textContent = "Pause";
    timer = setInterval(() => {
      const gone = (performance.now() - started) / 1000 / seconds;
      range.value = Math.min(high, from + gone * (high - low));
      if (range.value >= high) stop();
    }, pace);
  }

  button.addEventListener("click", () => (timer === null ? play() : stop()));
  input.addEventListener("pointerdown", stop);
  input.addEventListener("keydown", stop);
  return () => {
    stop();
    range.value = low;
    play();
  };
}

// Runs a generator a little in each frame, so that the page stays quick, and shows what came last.
// Returns a function that stops it.
function inFrames(work, show, milliseconds = 12) {
  let stopped = false;
  function go() {
    if (stopped) return;
    const until = performance.now() + milliseconds;
    let result;
    let step = work.next();
    for (; !step.done; step = work.next()) {
      result = step.value;
      if (performance.now() > until) break;
    }
    show(result);
    if (!step.done) requestAnimationFrame(go);
  }
  requestAnimationFrame(go);
  return () => (stopped = true);
}

// Screen readers hear a change once it has come to rest.
function announcer(id) {
  const place = find(id);
  let timer;
  return (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => (place.textContent = text), 250);
  };
}
