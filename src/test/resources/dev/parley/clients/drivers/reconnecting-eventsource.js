import ReconnectingEventSource from 'reconnecting-eventsource';
import { controlEvents } from '../plain.js';

export function start(url, show) {
  // example
  const events = new ReconnectingEventSource(url);
  events.addEventListener('message', message => show(message));
  events.addEventListener('position', () => {});
  // end
  controlEvents.forEach(name => events.addEventListener(name, show));
  return () => events.close();
}
