/** Elements: by their id, and new ones with their properties and what they hold, elements or text. */

/**
 * The element of that id, of that kind.
 * @template {Element} [Kind=HTMLElement]
 * @param {string} id @param {new () => Kind} [kind] @returns {Kind}
 */
export function $(id, kind) {
  const found = document.getElementById(id);
  if (!found || (kind && !(found instanceof kind))) throw new Error(`no #${id}`);
  return /** @type {Kind} */ (/** @type {unknown} */ (found));
}

/** @param {string} id */
export const input = (id) => $(id, HTMLInputElement);

/** @param {string} id */
export const button = (id) => $(id, HTMLButtonElement);

/** @param {string} id */
export const details = (id) => $(id, HTMLDetailsElement);

/** Calls `listener` when the button is pressed. @param {string} id @param {() => void} listener */
export const onClick = (id, listener) => button(id).addEventListener('click', listener);

/** Calls `listener` with the field when its value has changed. @param {string} id @param {(field: HTMLInputElement) => void} listener */
export const onChange = (id, listener) => input(id).addEventListener('change', () => listener(input(id)));

/** Calls `listener` with the field while its value changes. @param {string} id @param {(field: HTMLInputElement) => void} listener */
export const onInput = (id, listener) => input(id).addEventListener('input', () => listener(input(id)));

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {Partial<HTMLElementTagNameMap[Tag]>} properties @param {(Node | string)[]} children
 */
export function element(tag, properties, ...children) {
  const made = document.createElement(tag);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

/** An element of SVG. @template {keyof SVGElementTagNameMap} Tag @param {Tag} tag @param {Record<string, string | number>} attributes */
export function shape(tag, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

/**
 * A group of buttons of which one is pressed.
 * @template {string} Value
 * @param {HTMLElement} parent @param {readonly (readonly [Value, string])[]} choices value and text of each @param {(value: Value) => void} choose
 */
export function segments(parent, choices, choose) {
  const buttons = choices.map(([value, text]) => {
    const made = element('button', { type: 'button', value, onclick: () => choose(value) }, text);
    made.setAttribute('aria-pressed', 'false');
    return made;
  });
  parent.replaceChildren(...buttons);
}

/** @param {HTMLElement} parent @param {string} value */
export function press(parent, value) {
  for (const one of parent.querySelectorAll('button')) one.setAttribute('aria-pressed', String(one.value === value));
}
