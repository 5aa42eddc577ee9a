/** The names of the events that Parley itself sends. */
export const controlEvents = ['position', 'resumed', 'gap', 'goodbye'];

/** An event in the one form that the tests read, from the form that any of the libraries gives it. */
export function plain(event) {
  return {
    type: event.event || event.type || 'message',
    id: event.lastEventId ?? event.id ?? '',
    data: event.data ?? '',
  };
}
