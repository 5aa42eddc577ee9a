import { SSE } from 'sse.js';
import { controlEvents } from '../plain.js';

export function start(url, show) {
  // example
  const events = new SSE(url, { autoReconnect: true });
  events.addEventListener('message', message => show(message));
  // end
  controlEvents.forEach(name => events.addEventListener(name, show));
  return () => events.close();
}
