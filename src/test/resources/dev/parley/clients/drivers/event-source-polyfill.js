import { controlEvents } from '../plain.js';

const { EventSourcePolyfill } = window;

export function start(url, show) {
  // example
  const events = new EventSourcePolyfill(url);
  events.onmessage = message => show(message);
  // end
  controlEvents.forEach(name => events.addEventListener(name, show));
  return () => events.close();
}
