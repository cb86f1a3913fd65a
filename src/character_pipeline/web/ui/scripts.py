"""The little JavaScript of the pages; it runs when the component is shown, with `element`, `trigger` and `watch`."""

from __future__ import annotations

PICK = """
element.addEventListener('click', (event) => {
  const card = event.target.closest('[data-pick]');
  if (card) trigger('pick', {pick: card.dataset.pick});
});
"""
"""Tells which of the elements with `data-pick` was clicked."""

KEYS = """
let busy = false;
const card = () => element.querySelector('[data-question]');
const chosen = () => [...element.querySelectorAll('[aria-pressed=true]')].map((one) => Number(one.dataset.key));
const answer = (what) => {
  if (busy || !card()) return;
  busy = true;
  setTimeout(() => { busy = false; }, 4000);
  trigger('answer', {question: card().dataset.question, ...what});
};
const press = (key) => {
  const button = element.querySelector(`[data-key="${key}"]`);
  if (!button) return;
  if (card().dataset.many !== 'yes' || key === 0) return answer({act: 'say', keys: key ? [key] : []});
  button.setAttribute('aria-pressed', button.getAttribute('aria-pressed') !== 'true');
};
const confirm = () => {
  if (card() && (card().dataset.many === 'yes' || chosen().length)) answer({act: 'say', keys: chosen()});
};
const acts = {
  Enter: confirm, ArrowRight: () => answer({act: 'skip'}), ArrowLeft: () => answer({act: 'back'}),
  u: () => answer({act: 'undo'}),
};
const typed = (event) => {
  if (!element.isConnected) return document.removeEventListener('keydown', typed);
  const busyElsewhere = event.target.closest('input, textarea, select, [role=listbox], [contenteditable]');
  if (!element.offsetParent || busyElsewhere || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'Enter' && event.target.closest('button, a, summary')) return;
  const act = /^[0-9]$/.test(event.key) ? () => press(Number(event.key)) : acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
};
document.addEventListener('keydown', typed);
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-key], [data-act]');
  if (!button) return;
  if (button.dataset.key) press(Number(button.dataset.key));
  else acts[button.dataset.act]();
});
watch('value', () => {
  busy = false;
  const idle = document.activeElement === document.body || document.activeElement.matches('[role=tab]');
  if (idle && element.offsetParent) card()?.focus({preventScroll: true});
});
"""
"""Answers the question that is shown: a digit says a value, Enter confirms, arrows go on and back, u takes back."""

BRING_UP = """
() => {
  const one = document.getElementById('one');
  if (one && one.getBoundingClientRect().top > window.innerHeight * 0.8) one.scrollIntoView({behavior: 'smooth'});
}
"""
"""Shows the item that was picked where it is below the gallery, as on a phone."""
