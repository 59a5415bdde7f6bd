import type { list as vi } from "../vi/list";

export const list: typeof vi = {
  more: "Show more",
  found: (shown, total) => (total === 0 ? "Nothing found" : `${shown} of ${total} shown`),
  searchRooms: "Search rooms by the name of the room or the school",
  searchDevices: "Search new devices by name, maker or serial number",
  searchLessons: "Search lessons by title, subject or host school",
  searchPeople: "Search people by name or login name",
  searchOrganisations: "Search organisations by name or code",
};
