import { createEventSource } from 'eventsource-client';

export function start(url, show) {
  // example
  const events = createEventSource({ url, onMessage: event => show(event) });
  // end
  return () => events.close();
}
