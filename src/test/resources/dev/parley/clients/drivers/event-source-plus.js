import { EventSourcePlus } from 'event-source-plus';

export function start(url, show) {
  // example
  const events = new EventSourcePlus(url + '&format=json').listen({ onMessage: event => show(event) });
  // end
  return () => events.abort();
}
