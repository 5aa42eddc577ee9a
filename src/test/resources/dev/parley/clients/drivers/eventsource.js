import { EventSource } from 'eventsource';
import { controlEvents } from '../plain.js';

export function start(url, show) {
  // example
  const events = new EventSource(url);
  events.onmessage = message => show(message);
  // end
  controlEvents.forEach(name => events.addEventListener(name, show));
  return () => events.close();
}
