// The page /graphiql in jsdom, as somebody uses it: opened, given a key, asked. Prints what it asked
// of whom, and what it showed. jsdom lays nothing out, so what a page measures is made up here.

import { JSDOM, ResourceLoader, VirtualConsole } from 'jsdom';

const { URL: service, KEY: key, INPUT: query } = process.env;
const PATIENCE = 60_000;

const asked = [];
const errors = [];

class Recording extends ResourceLoader {
  fetch(url, options) {
    asked.push({ url, by: 'page' });
    return super.fetch(url, options);
  }
}

function recordingFetch(url, options) {
  const headers = Object.fromEntries(new Headers(options.headers));
  asked.push({ url: String(url), by: 'fetch', authorization: headers.authorization ?? null });
  return fetch(url, { method: options.method, body: options.body, headers });
}

const rectangle = { left: 0, right: 0, top: 0, bottom: 0, width: 0, height: 0, x: 0, y: 0 };
const nothing = () => {};

function furnish(window) {
  window.fetch = recordingFetch;
  Object.assign(window, { Headers, TextDecoder, TextEncoder });
  window.matchMedia = () => ({
    matches: false, addEventListener: nothing, removeEventListener: nothing, addListener: nothing,
  });
  window.ResizeObserver = class { observe() {} unobserve() {} disconnect() {} };
  window.Range.prototype.getBoundingClientRect = () => rectangle;
  window.Range.prototype.getClientRects = () => [];
}

const virtualConsole = new VirtualConsole();
virtualConsole.on('jsdomError', (error) => {
  // Its reader of style sheets is an old one.
  if (error.type !== 'css parsing') errors.push(String(error.cause ?? error.message));
});

const dom = await JSDOM.fromURL(`${service}/graphiql`, {
  runScripts: 'dangerously',
  resources: new Recording(),
  pretendToBeVisual: true,
  virtualConsole,
  beforeParse: furnish,
});
const { window } = dom;
const { document } = window;

async function until(found) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const value = found();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${found}: ${errors}`);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

const editor = (place) => document.querySelector(`${place} .CodeMirror`)?.CodeMirror;

await until(() => document.readyState === 'complete');
const before = document.querySelector('.graphiql-container') !== null;
document.getElementById('key').value = key;
document.querySelector('#show-key [type=submit]').click();
// The types are known once the schema was asked for: the editor completes with them.
await until(() => editor('.graphiql-query-editor')?.options.hintOptions?.schema);
const types = Object.keys(editor('.graphiql-query-editor').options.hintOptions.schema.getTypeMap());
editor('.graphiql-query-editor').setValue(query);
// It has read the query once it calls the tab by the operation's name.
await until(() => document.querySelector('.graphiql-tab-button')?.textContent === 'Asked');
document.querySelector('.graphiql-execute-button').click();
const shown = await until(() => editor('.result-window')?.getValue());

console.log(JSON.stringify({
  before,
  types,
  shown: JSON.parse(shown),
  asked,
  errors,
  kept: { ...window.sessionStorage },
  local: window.localStorage.length,
  html: document.documentElement.outerHTML.includes(key),
}));
window.close();
