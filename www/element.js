/** Elements: by their id, and new ones with their properties and what they hold, elements or text. */
export const $ = (id) => document.getElementById(id);

export function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** A list of sentences; without any it is hidden. */
export function listSentences(parent, sentences) {
  parent.replaceChildren(...sentences.map((sentence) => element('li', {}, sentence)));
  parent.hidden = sentences.length === 0;
}

/** A group of buttons of which one is pressed: { value: words }. */
export function segments(parent, choices, choose) {
  parent.replaceChildren(
    ...Object.entries(choices).map(([value, words]) => {
      const button = element('button', { type: 'button', value, onclick: () => choose(value) }, words);
      button.setAttribute('aria-pressed', 'false');
      return button;
    }),
  );
}

export function press(parent, value) {
  for (const button of parent.children) button.setAttribute('aria-pressed', String(button.value === value));
}
