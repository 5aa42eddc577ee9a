import { fetchEventSource } from '@microsoft/fetch-event-source';

export function start(url, show) {
  const stop = new AbortController();
  // example
  fetchEventSource(url + '&format=json', {
    signal: stop.signal,
    openWhenHidden: true,
    onmessage: event => show(event),
    onclose: () => { throw new Error('the stream ended: connect again'); },
  });
  // end
  return () => stop.abort();
}
