// Days in a school's time zone, however the machine's own clock is set. Pure.

const DAY_MS = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** By how much the zone's clocks are ahead of UTC at that moment. */
function aheadMs(atMs: number, zone: string): number {
  let format = formats.get(zone);
  if (format === undefined) {
    const numeric = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" } as const;
    format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...numeric });
    formats.set(zone, format);
  }
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
  const of = (part: Intl.DateTimeFormatPartTypes): number => parts.get(part) ?? 0;
  const local = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  return local - Math.floor(atMs / 1000) * 1000;
}

/** When the day began that it is there at that moment. */
export function startOfDay(atMs: number, zone: string): number {
  const ahead = aheadMs(atMs, zone);
  return Math.floor((atMs + ahead) / DAY_MS) * DAY_MS - ahead;
}
