// The function that every runtime serves: one sum of the event's numbers.
export const handle = (event) => ({ sum: event.a + event.b });
