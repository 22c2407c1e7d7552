const TIME_OF_DAY = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY_AND_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** An instant of the gateway in the reader's own time zone and form. */
export const timeOfDay = (instant: string): string => TIME_OF_DAY.format(new Date(instant));
export const dayAndTime = (instant: string): string => DAY_AND_TIME.format(new Date(instant));
