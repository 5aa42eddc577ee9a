import { EventSource } from 'launchdarkly-eventsource';
import { controlEvents } from '../plain.js';

export function start(url, show) {
  // example
  const events = new EventSource(url + '&heartbeat=4');
  events.onmessage = message => show(message);
  events.onerror = () => {};
  // end
  controlEvents.forEach(name => events.addEventListener(name, show));
  return () => events.close();
}
